"""Commands that several processes do together, on this machine or as torchrun started them."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ganzoo.cli.framework import WORDS
from ganzoo.errors import UsageError


def together(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the option --processes. Each of them does the command, in a group; the first one alone shows."""

    @click.option("--processes", type=int, metavar="INT", help="This many work together, one on each GPU. [default: 1]")
    @functools.wraps(command)
    def by_each(processes: int | None, **given: Any) -> None:
        from ganzoo.contract import distributed
        from ganzoo.loop.processes import by_torchrun, group, launch

        if processes is not None and processes < 1:
            raise UsageError(f"--processes takes 1 or more, not {processes}.")
        if by_torchrun():
            with group(), contextlib.nullcontext() if distributed.is_leader() else _silent():
                if processes not in (None, distributed.world()):
                    raise UsageError(f"torchrun has started {distributed.world()} processes; leave --processes away.")
                command(**given)
        elif processes in (None, 1):
            command(**given)
        else:
            words = click.get_current_context().meta[WORDS]
            doing = f"{words[0]} together"
            if launch(__name__, words, processes, doing, "try fewer --processes.") is not None:
                raise click.Abort

    return by_each


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


def _one_of_them(words: list[str]) -> None:
    """What `ganzoo WORDS` does; what goes wrong is raised."""
    from ganzoo.cli.app import app

    try:
        app(words, prog_name="ganzoo", standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None


if __name__ == "__main__":
    from ganzoo.loop.processes import take_part

    take_part(Path(sys.argv[1]), lambda: _one_of_them(sys.argv[2:]))
