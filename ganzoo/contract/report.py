"""How long work says where it is."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]  # (what is being done, done, total); total is 0 while it is not known


def silent(what: str, done: int, total: int) -> None:
    """A `Report` that says nothing."""
