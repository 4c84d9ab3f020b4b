"""Printing: tables for people, JSON for programs."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import click
from click.core import ParameterSource

from ganzoo.errors import UsageError, escaped

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 120  # columns where there is no terminal to ask
MANY = 6  # columns from which on a table may be turned
BELOW = " " * 6  # before the last cell of a row where it stands below the others
ROOMY = 24  # columns that sentences need to be read in lines
NARROWEST = 16  # columns that the last column of a table keeps before others give way


def console() -> Console:
    """A rich console on standard output that takes every text literally. Heeds NO_COLOR and COLUMNS."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)


def echo(text: str, err: bool = False) -> None:
    """Lines of text, in which no name of a file can make a terminal do anything."""
    click.echo(escaped(text), err=err)


def wrote(text: str, *files: os.PathLike[str] | str, quiet: bool = False) -> None:
    """The last line of a command that writes: it ends in the path, so that it can be copied; of `files` the last one.

    Args:
        quiet: print nothing but the paths.
    """
    for file in files if quiet else ():
        click.echo(os.fspath(file))
    if not quiet:
        echo(f"{text} {os.fspath(files[-1])}")


def pictures_notes(seed: int) -> dict[str, str]:
    """What the file of a picture says of how the command made it."""
    return {"seed": str(seed), "command": typed_command("out", "device", "show", "quiet")}


def typed_command(*unsaid: str) -> str:
    """The command line as it can be shown to others: without folders, and without the parameters in `unsaid`."""
    from ganzoo.plan.typed import without_folders

    context = click.get_current_context()
    words = ["ganzoo", str(context.info_name)]
    for param in context.command.get_params(context):
        name, value = str(param.name), context.params.get(str(param.name))
        if name in unsaid or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        given = value if isinstance(value, tuple) else (value,)
        if isinstance(param, click.Option):
            words.append(max(param.opts, key=len))
            given = () if param.is_flag else given
        words += [without_folders(str(each)) for each in given]
    return shlex.join(words)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(value, indent=2))


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = (), spare: Sequence[str] = ()
) -> Table:
    """A table of plain text; columns in `right` hold numbers, those in `spare` go where room is short, last first."""
    made = Table(headings, right, spare)
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


class Table:
    """Rows of text under headings, as wide as the screen at most: the last column wraps first, then the widest.

    Where words would have to be broken, a few rows of many columns are turned: each stands under its own first cell,
    and the headings beside them; else as many of the last columns as need be stand below the others. Written here, and
    not left to rich, whose import takes a third of the time of `ganzoo list`.
    """

    def __init__(self, headings: Sequence[str], right: Sequence[str], spare: Sequence[str] = ()) -> None:
        self.headings, self.right, self.spare = headings, right, spare
        self.rows: list[tuple[Sequence[str], str]] = []

    def add_row(self, *cells: str, style: str = "") -> None:
        """A row; `style` as `say` takes it."""
        self.rows.append((tuple(map(escaped, cells)), style))

    def print(self) -> None:
        """On standard output, heading in bold; into a pipe or a file as plain rows, with tabs between the cells. Heeds
        NO_COLOR, FORCE_COLOR and COLUMNS.
        """
        if piped():
            for cells in (self.headings, *(cells for cells, _ in self.rows)):
                say("\t".join(" ".join(cell.split()) for cell in cells))
            return
        screen = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
        for heading in reversed(self.spare):
            if sum(self._natural()) > self._room(screen):
                self._drop(heading)
        beside = self._beside(screen)
        if beside == len(self.headings):
            self._print(screen)
        elif MANY <= len(self.headings) >= len(self.rows) / 2:
            for part in self._turned(screen):
                part._print(screen)
        else:
            self._print_below(screen, beside)

    def _print(self, screen: int) -> None:
        widths = self._widths(screen)
        say()
        for line in self._lines(self.headings, widths):
            say(line, "bold")
        say(" " + "─" * (sum(widths) + 3 * (len(widths) - 1)))
        for cells, style in self.rows:
            for line in self._lines(cells, widths):
                say(line, style)
        say()

    def _print_below(self, screen: int, beside: int) -> None:
        above = Table(self.headings[:beside], self.right)
        above.rows = [(cells[:beside], style) for cells, style in self.rows]
        widths = above._widths(screen)
        say()
        for cells, style in [(self.headings, "bold"), *self.rows]:
            for line in self._lines(cells[:beside], widths):
                say(line, style or "bold")
            below = cells[-1]
            if beside < len(self.headings) - 1:  # more than one: each says what it is, and the headings need not
                named = zip(self.headings[beside:], cells[beside:], strict=True)
                below = "   ".join(f"{heading}: {cell}" for heading, cell in named if cell and cells != self.headings)
            for line in _folded(below, screen, BELOW, BELOW) if below else ():
                say(line, style)
        say()

    def _drop(self, heading: str) -> None:
        place = self.headings.index(heading)
        self.headings = [*self.headings[:place], *self.headings[place + 1 :]]
        self.rows = [([*cells[:place], *cells[place + 1 :]], style) for cells, style in self.rows]

    def _beside(self, screen: int) -> int:
        """How many of the first columns fit side by side without a broken word; one at the least."""
        natural, words = self._natural(), self._longest_words()
        words[-1] = max(words[-1], min(natural[-1], ROOMY))
        fit = [sum(words[:count]) + 3 * (count - 1) <= screen - 2 for count in range(1, len(words) + 1)]
        return max(sum(itertools.accumulate(fit, min)), 1)

    def _room(self, screen: int) -> int:
        return screen - 2 - 3 * (len(self.headings) - 1)

    def _natural(self) -> list[int]:
        columns = zip(self.headings, *(cells for cells, _ in self.rows), strict=True)
        return [max(max(map(columns_of, cell.splitlines()), default=0) for cell in column) for column in columns]

    def _longest_words(self) -> list[int]:
        columns = zip(self.headings, *(cells for cells, _ in self.rows), strict=True)
        return [max(max(map(columns_of, cell.split()), default=0) for cell in column) for column in columns]

    def _widths(self, screen: int) -> list[int]:
        widths, room, words = self._natural(), self._room(screen), self._longest_words()
        widths[-1] = max(min(widths[-1], room - sum(widths[:-1])), min(widths[-1], NARROWEST))
        while sum(widths) > room and max(widths) > 1:  # words are broken last
            spare = [width if width > word else 0 for width, word in zip(widths, words, strict=True)]
            give = spare if any(spare) else widths
            widths[give.index(max(give))] -= 1
        return widths

    def _turned(self, screen: int) -> Iterator[Table]:
        """The same in tables that have a column a row, as many as there is room for."""
        beside = max(map(columns_of, self.headings))
        left = list(self.rows)
        while left:
            cells, widths = list[Sequence[str]](), [beside]
            while left and (not cells or sum(widths) + _width_of(left[0][0]) + 3 * len(widths) + 2 <= screen):
                cells.append(left.pop(0)[0])
                widths.append(_width_of(cells[-1]))
            part = Table([self.headings[0], *(row[0] for row in cells)], [row[0] for row in cells])
            for place, heading in enumerate(self.headings[1:], 1):
                part.add_row(heading, *(row[place] for row in cells))
            yield part

    def _lines(self, cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
        folded = [
            [part for line in cell.splitlines() for part in textwrap.wrap(line, width, break_on_hyphens=False) or [""]]
            or [""]
            for cell, width in zip(cells, widths, strict=True)
        ]
        for parts in zip_longest(*folded, fillvalue=""):
            padded = [
                part.rjust(width) if heading in self.right else part + " " * (width - columns_of(part))
                for part, width, heading in zip(parts, widths, self.headings[: len(widths)], strict=True)
            ]
            yield f" {'   '.join(padded)}".rstrip()


def _folded(text: str, width: int, first: str, others: str, whole: bool = False) -> list[str]:
    """Lines of at most so many columns, with indents; no word is broken that fits, or none at all (`whole`)."""
    lines = textwrap.wrap(
        text,
        max(width, NARROWEST),
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
        break_long_words=not whole,
    )
    return lines or [first.rstrip()]


def fact(label: str, text: str, width: int) -> None:
    """One of a list of facts; on a screen, what does not fit beside its label stands below it, in the same column."""
    head = f"{label:<{width}} "
    if piped():
        echo(head + text)
    else:
        screen = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
        echo("\n".join(_folded(head + text, screen, "", " " * len(head), whole=True)))  # paths are to be copied


def speed_text(rate: float) -> str:
    """Images a second, with a decimal where there are few."""
    return f"{rate:,.{0 if rate >= 10 else 1}f} images/s"


def _width_of(cells: Sequence[str]) -> int:
    """How wide a column of these is, once what is long is wrapped."""
    return max(max(min(NARROWEST, columns_of(cell)), *map(columns_of, cell.split()), 0) for cell in cells)


def piped() -> bool:
    """Whether standard output is a pipe or a file, and nobody said how wide a table is to be."""
    if os.environ.get("COLUMNS") or os.environ.get("FORCE_COLOR"):
        return False
    try:
        return not os.isatty(sys.stdout.fileno())
    except (OSError, ValueError):  # a stream in memory
        return False


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes; letters of Chinese and the like take two."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def say(text: str = "", style: str = "") -> None:
    """A line on standard output: bold, dim or in a colour, where those are shown. Heeds NO_COLOR and FORCE_COLOR."""
    shown = False if os.environ.get("NO_COLOR") else True if os.environ.get("FORCE_COLOR") else None
    named: dict[str, Any] = {style: True} if style in ("bold", "dim") else {"fg": style}
    text = escaped(text)
    click.echo(click.style(text, **named) if style else text, color=shown)


def check_sheet(file: str | Path, others: Sequence[str] = (), folder: bool = False) -> None:
    """Raises: UsageError when a sheet cannot be written under this name.

    Args:
        others: endings that go as well; folder: so does a folder.
    """
    from ganzoo.pictures.framed import SHEETS

    *most, last = endings = (*SHEETS, *others)
    if Path(file).suffix.lower() not in endings:
        raise UsageError(f"-o takes a {', '.join(most)} or {last} file{' or a folder' if folder else ''}, not {file}.")
