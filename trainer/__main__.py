"""`python -m trainer` is the command `seg-trainer`: from a checkout, without installing it."""

from trainer.cli import main

if __name__ == "__main__":
    main()
