"""`vp-tui capture`: one look at a window, and the row that is made of it."""
