"""Settings of all tests."""

from hypothesis import settings

# A deadline would be a wall-clock assertion: it fails on a machine that is busy.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
