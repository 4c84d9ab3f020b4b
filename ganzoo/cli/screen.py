"""Printing: tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_WIDTH = 120  # columns where there is no terminal to ask


def console() -> Console:
    """A rich console on standard output that takes every text literally. Heeds NO_COLOR and COLUMNS."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(value, indent=2))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> Table:
    """A table of plain text. Its last column takes what room is left and wraps; columns in `right` hold numbers."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        last = heading == headings[-1]
        made.add_column(heading, justify="right" if heading in right else "left", overflow="fold", no_wrap=not last)
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made
