"""The lane: its switches and how a change is proven, restarts, probes, the auto-revert."""
