"""Scores of finished models."""
