"""The dialogs: each asks before something is done, and shows what comes of it."""
