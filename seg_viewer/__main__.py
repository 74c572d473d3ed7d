"""`python -m seg_viewer` is the command `seg-viewer`."""

import multiprocessing

from seg_viewer.cli.main import program

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a drive through CARLA starts the frozen program once more
    program()
