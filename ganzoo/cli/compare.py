"""`ganzoo compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.output import print_json, say, table
from ganzoo.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.runs.compare import Comparison

FORMS = ("json", "csv", "markdown", "latex")


def _form_flags(command: Any) -> Any:
    for form in reversed(FORMS):
        help = f"Print {form.upper() if form in ('json', 'csv') else form.title()} instead of a table."
        command = click.option(f"--{form}", "form", flag_value=form, help=help)(command)
    return command


@click.command(
    "compare",
    cls=Command,
    takes_plugins=False,
    examples=(
        "ganzoo compare runs/dcgan-mnist-1 runs/lsgan-mnist-1",
        "ganzoo compare runs --markdown",
        "ganzoo compare runs/a runs/b --plot losses.pdf --value loss/G --over time",
    ),
)
@click.argument("runs", nargs=-1, metavar="RUN…")
@_form_flags
@click.option("--plot", metavar="FILE", help="Draw a logged value over the training: .png, .pdf or .svg.")
@click.option("--value", metavar="NAME", help="The value, as metrics.jsonl has it. [default: the first score]")
@click.option("--over", metavar="images|steps|time", help="What the plot's axis is. [default: images]")
def compare(runs: tuple[str, ...], form: str | None, plot: str | None, value: str | None, over: str | None) -> None:
    """Set runs side by side: scores, settings, images, time.

    RUN is a run's folder, or a folder with runs in it. Runs that differ in their seed alone are one row, with the mean
    and the standard deviation over the seeds; in a plot their range is a band. Unequal lengths, and scores that were
    not taken in the same way, are said.
    """
    import ganzoo
    from ganzoo.runs import compare as comparison

    if plot is None and (value or over):
        raise UsageError("--value and --over are the plot's; add --plot FILE.")
    if not runs:
        raise UsageError("Say which runs, such as: ganzoo compare runs")
    found = ganzoo.compare(runs)
    if form == "json":
        print_json(found.facts())
    elif form:
        click.echo(getattr(found, form)(), nl=False)
    else:
        print_comparison(found)
    if plot:
        comparison.plot(found, plot, value, over or "images")
        click.echo(plot, err=form is not None)


def print_comparison(compared: Comparison) -> None:
    """As a table, with what must be known to read it."""
    headings, rows = compared.table()
    table(headings, rows, right=headings[1:]).print()
    for note in compared.notes:
        say(note)
