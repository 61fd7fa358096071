"""`vp-tui doctor`: what it finds here and at the gateway, and what helps."""
