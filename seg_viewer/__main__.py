"""`python -m seg_viewer` is the command `seg-viewer`."""

from seg_viewer.core.first_imports import ctrl_c_ends_at_once


def program() -> None:
    """All that the process does, from its first import to its end."""
    with ctrl_c_ends_at_once():
        import multiprocessing

        from seg_viewer.cli.main import program as run
    multiprocessing.freeze_support()  # a drive through CARLA starts the frozen program once more
    run()


if __name__ == "__main__":
    program()
