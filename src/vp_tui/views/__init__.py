"""The views: from the state and now to what is so."""
