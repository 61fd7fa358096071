"""The state: all that is known, how events change it, and the store that publishes it."""
