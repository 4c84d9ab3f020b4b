"""`ganzoo compare`."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import click

from ganzoo.api import UsageError, printable

FORMS = ("json", "csv", "markdown", "latex")


def _form_flags(command: Any) -> Any:
    for form in reversed(FORMS):
        help = f"Print {form.upper() if form in ('json', 'csv') else form.title()} instead of a table."
        command = click.option(f"--{form}", "form", flag_value=form, help=help)(command)
    return command


def _in_lines(text: str) -> str:
    """A sentence in lines as wide as the terminal, which would break words; in one line for other programs."""
    width = shutil.get_terminal_size().columns
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False) if sys.stdout.isatty() else text


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="RUN…")
@_form_flags
@click.option("--plot", metavar="FILE", help="Draw a logged value over the training: .png, .pdf or .svg.")
@click.option("--value", metavar="NAME", help="The value, as metrics.jsonl has it. [default: the first score]")
@click.option("--over", metavar="images|steps|time", help="What the plot's axis is. [default: images]")
def compare(
    runs: tuple[str, ...],
    form: str | None,
    plot: str | None,
    value: str | None,
    over: str | None,
    table: Callable[..., None],
) -> None:
    """Set runs side by side: scores, settings, images, time.

    RUN is a run's folder, or a folder with runs in it. Runs that differ in their seed alone are one row, with the mean
    and the standard deviation over the seeds; in a plot their range is a band. Unequal lengths, and scores that were
    not taken in the same way, are said.
    """
    from ganzoo_compare import comparison

    if plot is None and (value or over):
        raise UsageError("--value and --over are the plot's; add --plot FILE.")
    if not runs:
        raise UsageError("Say which runs, such as: ganzoo compare runs")
    found = comparison.compare(runs)
    if plot:  # first, for it may be refused
        comparison.plot(found, plot, value, over or "images")
    if form == "json":
        click.echo(json.dumps(found.facts(), indent=2))
    elif form:
        click.echo(getattr(found, form)(), nl=False)
    else:
        headings, rows = found.table()
        table(headings, rows, right=headings[1:])
        for note in found.notes:
            click.echo(_in_lines(printable(note)))
    if plot:
        click.echo(plot, err=form is not None)
