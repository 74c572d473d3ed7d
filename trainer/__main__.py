"""`python -m trainer` is the command `seg-trainer`: from a checkout, without installing it."""

from seg_viewer.core.first_imports import ctrl_c_ends_at_once


def program() -> None:
    """All that the process does, from its first import to its end."""
    with ctrl_c_ends_at_once():
        from trainer.cli import main
    main()


if __name__ == "__main__":
    program()
