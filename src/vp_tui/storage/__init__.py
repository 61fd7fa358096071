"""Storage: the files that vp-tui reads and writes."""
