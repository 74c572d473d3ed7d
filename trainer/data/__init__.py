"""Data sets: pairs on disk, samples, batches."""
