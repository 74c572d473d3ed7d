"""seg_viewer: segments driving video in real time and paints what it finds."""

__version__ = "0.1.0"
