"""`ganzoo probe`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from ganzoo.api import Report, UsageError, silent


@click.command("probe")
@click.argument("run", metavar="RUN")
@click.option("--labels", default="10,100,1000", metavar="N,N", help="How many labels to learn from, each in turn.")
@click.option("--repeats", default=5, type=click.IntRange(1, 100), metavar="INT", help="Draws of these labels.")
@click.option("--seed", default=0, type=int, metavar="INT", help="The same seed draws the same labels.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def probe(
    run: str,
    labels: str,
    repeats: int,
    seed: int,
    as_json: bool,
    progress: Callable[[], AbstractContextManager[Report]],
) -> None:
    """Try with few labels what D has learned.

    A linear classifier of the data's labels on D's features, beside the same one on raw pixels and on an untrained D
    of the same make: does training a GAN on images without labels spare labels?

    Features are those of D's layers but the last, brought down to 4×4 by their maxima, as in DCGAN's paper (section
    5.1). The classifier is ridge regression, its strength chosen by leaving one out. It is tried on images that it did
    not learn from: the data's own test part where there is one.
    """
    from ganzoo_probe.probing import probe as measure

    try:
        counts = [int(word) for word in labels.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 2:
        raise UsageError(f"--labels takes numbers of 2 or more such as 10,100,1000, not {labels}.")
    with nullcontext(silent) if as_json else progress() as report:
        found = measure(Path(run), counts, repeats, seed, report)
    if as_json:
        click.echo(json.dumps(vars(found), indent=2))
        return
    click.echo(f"{'labels':>8}" + "".join(f"{name:>18}" for name in found.accuracy))
    for at, count in enumerate(found.labels):
        cells = [f"{mean[at]:.1%} ± {found.spread[name][at]:.1%}" for name, mean in found.accuracy.items()]
        click.echo(f"{count:>8,}" + "".join(f"{cell:>18}" for cell in cells))
    click.echo(f"Share of {found.tried:,} images named rightly, {found.split}; mean and deviation of {repeats} draws.")
