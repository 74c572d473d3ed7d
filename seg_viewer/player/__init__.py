"""Plays one source at a time. Knows no Qt."""
