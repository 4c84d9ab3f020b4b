"""`ganzoo evaluate`."""

from __future__ import annotations

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.screen import console, print_json, table


@click.command(
    "evaluate",
    cls=Command,
    examples=("ganzoo evaluate runs/dcgan-anime-1", "ganzoo evaluate runs/dcgan-anime-1 --metric swd:directions=64"),
)
@click.argument("run", metavar="RUN")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A score, with options; again for more.")
@click.option(
    "--samples", type=int, default=2000, metavar="INT", help="Images to generate and compare with. [default: 2000]"
)
@click.option("--seed", type=int, default=0, metavar="INT", help="The same seed draws the same images. [default: 0]")
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute. [default: auto]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def evaluate(run: str, metrics: tuple[str, ...], samples: int, seed: int, device: str, as_json: bool) -> None:
    """Score a run's model against the data it was trained on.

    Without --metric every score there is. Figures can be compared only where their protocols agree; --json has them.
    """
    import ganzoo

    scores = ganzoo.evaluate(run, metrics, samples=samples, seed=seed, device=device)
    if as_json:
        print_json({"metrics": scores})
        return
    console().print(table(("score", "value"), ((s["name"], f"{s['value']:.4g}") for s in scores), right=("value",)))
    protocol = scores[0]["protocol"]
    click.echo(
        f"{protocol['samples']:,} samples against as many items of {protocol['data']} ({protocol['origin']}), "
        f"{protocol['split']} split, {protocol['weights']} weights of step {protocol['step']:,}, seed {seed}."
    )
