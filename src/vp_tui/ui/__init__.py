"""The user interface, in Textual: it reads views and gives commands."""
