"""vp-tui: watch a controlled rollout live, decide, and record evidence."""

__version__ = "0.1.0"
