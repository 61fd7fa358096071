"""Runs: the turns of sessions, how each does, and what became of cancels."""
