"""The command line. It only calls the public API; a command's module is imported when the command is used."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `ganzoo` command."""
    from ganzoo.cli import completion
    from ganzoo.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows another
    if completion.asked():
        completion.answer(app, sys.argv[1:])
        return
    try:
        app(prog_name="ganzoo")
    finally:
        _flush()


def _flush() -> None:
    """Writes what is left; a reader that went away (`ganzoo list | head -1`) is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
