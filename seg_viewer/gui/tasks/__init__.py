"""Work that the window starts and that goes on beside it."""
