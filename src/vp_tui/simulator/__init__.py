"""The simulator: the embedded gateway, for demos and tests."""
