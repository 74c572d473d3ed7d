"""Values that every other room shares; knows no video, no engine, no window."""
