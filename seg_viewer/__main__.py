"""`python -m seg_viewer` is the command `seg-viewer`."""

from seg_viewer.cli import main

if __name__ == "__main__":
    main()
