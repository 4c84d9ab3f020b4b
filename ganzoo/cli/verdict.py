"""`ganzoo verdict`."""

from __future__ import annotations

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, json_option, seed_option
from ganzoo.cli.output import print_json, table


@click.command(
    "verdict",
    cls=Command,
    examples=("ganzoo verdict runs/dcgan-digits-1", "ganzoo verdict runs/dcgan-digits-1 --on digits:seed=1"),
)
@click.argument("run", metavar="RUN")
@click.option("--on", metavar="DATA", help="Judge this data set as well, such as digits:seed=1.")
@click.option("--samples", type=int, default=1000, metavar="INT", help="Items of each kind. [default: 1000]")
@seed_option("The same seed, the same items.")
@device_option
@json_option()
def verdict(run: str, on: str | None, samples: int, seed: int, device: str, as_json: bool) -> None:
    """Say what a run's D thinks of real and generated items.

    A D that takes its training data for real and other data of the same kind for generated overfits: it has memorised
    the training data. Figures are means of D(x) as the log shows it.
    """
    import ganzoo

    means = ganzoo.verdicts(run, on, samples=samples, seed=seed, device=device)
    if as_json:
        print_json(means)
        return
    rows = [(name, f"{value:.4g}") for name, value in means.items()]
    table(("judged", "D(x)"), rows, right=("D(x)",)).print()
