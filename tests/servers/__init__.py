"""Streaming servers on loopback, started by the tests."""
