"""The command `seg-viewer`: one file a command."""
