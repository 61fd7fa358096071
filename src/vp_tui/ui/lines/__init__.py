"""The lines: what is drawn, as pure text with tones."""
