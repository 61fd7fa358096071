"""The gateway: all that is asked of it or told to it over the wire."""
