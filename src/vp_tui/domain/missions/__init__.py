"""Missions: what is known of each, and what their counts and durations prove."""
