"""`ganzoo evaluate`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, json_option, seed_option
from ganzoo.cli.output import echo, print_json, table
from ganzoo.cli.together import together

if TYPE_CHECKING:
    from ganzoo.runs.rows import Measured


@click.command(
    "evaluate",
    cls=Command,
    examples=(
        "ganzoo evaluate runs/dcgan-anime-1",
        "ganzoo evaluate runs/dcgan-anime-1 --metric swd:directions=64 --metric classifier",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A score, with options; again for more.")
@click.option(
    "--samples", type=int, default=2000, metavar="INT", help="Images to generate and compare with. [default: 2000]"
)
@seed_option("The same seed draws the same images.")
@device_option
@click.option("--quick", is_flag=True, help="Only scores that need nothing trained: seconds in place of minutes.")
@click.option("--inception", metavar="FILE", help="Inception's weights for --metric fid. [default: fetched once]")
@click.option("--against", metavar="DATA", help="Compare with this data set instead, such as digits:seed=1.")
@json_option()
@together
def evaluate(
    source: str,
    metrics: tuple[str, ...],
    samples: int,
    seed: int,
    device: str,
    quick: bool,
    inception: str | None,
    against: str | None,
    as_json: bool,
) -> None:
    """Score a model against the data it was trained on.

    RUN|MODEL is a run's folder, a model file, or the folder that --per-class made: its models are then scored as one,
    and each by itself. Without --metric every score that applies. Figures can be compared only where their protocols
    agree; --json has them, and so has scores.jsonl in the run's folder.

    Cheap scores come first. The first score that looks at labels trains a small classifier of the data set, which takes
    a few minutes; it is done once, and kept for all later ones. --quick leaves such scores out.
    """
    import ganzoo
    from ganzoo.contract import distributed
    from ganzoo.loop.display import Lines

    _check_names(source, metrics)
    if inception is not None:
        metrics = tuple(_with_inception(spec, inception) for spec in metrics or ("fid",))
    # Whatever a metric prints goes to standard error: standard output is for the scores.
    with distributed.together(), contextlib.redirect_stdout(sys.stderr):
        scores = ganzoo.evaluate(
            source, metrics, samples=samples, seed=seed, device=device, against=against, quick=quick,
            report=Lines(sys.stderr).report,
        )  # fmt: skip
    if as_json:
        print_json({"metrics": scores})
        return
    labels = list(dict.fromkeys(score["protocol"]["label"] for score in scores))
    if len(labels) == 1:
        rows = [(score["name"], _number(score["value"])) for score in scores]
        table(("score", "value"), rows, right=("value",)).print()
    else:
        table(("label", "score", "value"), _by_label(scores), right=("value",)).print()
    _say_protocol(scores)


def _check_names(source: str, metrics: Sequence[str]) -> None:
    """Raises: UsageError for a score that there is not, before a model is fetched or made; a run's own file may have
    more, and a folder of several runs too.
    """
    from ganzoo.catalogue.catalogue import find
    from ganzoo.contract.options import parse_spec
    from ganzoo.runs.checkpoint import read_facts
    from ganzoo.runs.run import Run

    if not metrics:
        return
    if (Path(source) / "run.json").is_file():
        known = not Run.open(source).header.plugin_files
    elif Path(source).is_file():
        known = not read_facts(Path(source)).get("plugin_files")
    else:
        known = not Path(source).is_dir()
    for spec in metrics if known else ():
        find("metric", parse_spec(spec)[0])


def _with_inception(spec: str, file: str) -> str:
    """A metric's spec with the file of weights, where it is FID's."""
    return f"{spec}{',' if ':' in spec else ':'}inception={file}" if spec.partition(":")[0] == "fid" else spec


def _number(value: float) -> str:
    return f"{value:.4g}"


def _by_label(scores: Sequence[Measured]) -> list[tuple[str, str, str]]:
    return [(score["protocol"]["label"] or "all", score["name"], _number(score["value"])) for score in scores]


def _say_protocol(scores: Sequence[Measured]) -> None:
    protocol = scores[0]["protocol"]
    if "samples_asked" in protocol:
        asked = protocol["samples_asked"]
        echo(f"{asked:,} samples were asked for; the {protocol['split']} part of the data has fewer.")
    echo(
        f"{protocol['samples']:,} samples against {protocol['real']:,} items of {protocol['data']} "
        f"({protocol['origin']}), {protocol['split']} split, {protocol['weights']} weights of step "
        f"{protocol['step']:,}, seed {protocol['seed']}."
    )
    searched = next((each["protocol"]["searched"] for each in scores if "searched" in each["protocol"]), None)
    if searched is not None and protocol["split"] != "training":
        echo(f"Copies are looked for among {searched:,} items of the training split.")
    for caution in dict.fromkeys(each["protocol"]["caution"] for each in scores if each["protocol"].get("caution")):
        echo(f"Caution: {caution}")
    classifier = next((each["protocol"]["classifier"] for each in scores if "classifier" in each["protocol"]), None)
    if classifier is not None:
        echo(f"The classifier names {classifier['accuracy']:.2%} of {classifier['held_out']:,} held-out items rightly.")
