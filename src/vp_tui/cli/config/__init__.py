"""The configuration: the settings, their file, and where each value comes from."""
