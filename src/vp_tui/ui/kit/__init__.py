"""The kit: widgets and screens from which the others are made."""
