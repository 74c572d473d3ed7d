"""The picture and what is drawn on it."""
