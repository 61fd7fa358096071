"""The command line: commands, settings, and how the parts are put together."""
