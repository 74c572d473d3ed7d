"""Several live sources beside each other, on one engine."""
