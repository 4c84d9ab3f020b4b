"""`python -m ganzoo.cli`, for where the `ganzoo` script is not on the path."""

from ganzoo.cli import main

if __name__ == "__main__":
    main()
