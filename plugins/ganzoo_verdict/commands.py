"""`ganzoo verdict`."""

from __future__ import annotations

import json
from collections.abc import Callable

import click


@click.command("verdict")
@click.argument("run", metavar="RUN")
@click.option("--on", metavar="DATA", help="Judge this data set as well, such as digits:seed=1.")
@click.option("--samples", type=int, default=1000, metavar="INT", help="Items of each kind. [default: 1000]")
@click.option("--seed", type=int, default=0, metavar="INT", help="The same seed, the same items. [default: 0]")
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute. [default: auto]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def verdict(
    run: str, on: str | None, samples: int, seed: int, device: str, as_json: bool, table: Callable[..., None]
) -> None:
    """Say what a run's D thinks of real and generated items.

    A D that takes its training data for real and other data of the same kind for generated overfits: it has memorised
    the training data. Figures are means of D(x) as the log shows it.
    """
    from ganzoo_verdict.verdicts import verdicts

    means = verdicts(run, on, samples=samples, seed=seed, device=device)
    if as_json:
        click.echo(json.dumps(means, indent=2))
        return
    rows = [(name, f"{value:.4g}") for name, value in means.items()]
    table(("judged", "D(x)"), rows, right=("D(x)",))
