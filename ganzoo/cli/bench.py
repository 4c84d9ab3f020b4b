"""`ganzoo bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import ArchitectureCommand, json_option, named_architecture
from ganzoo.cli.output import echo, print_json
from ganzoo.contract.settings import LENGTHS

if TYPE_CHECKING:
    from ganzoo.benchmark.bench import Result
    from ganzoo.contract.architecture import Architecture

# What a benchmark decides itself.
NOT_TAKEN = (*(name for name in LENGTHS if name != "images"), "processes", "checkpoint_every", "samples", "log")


def _finder(words: Sequence[str], given: Mapping[str, str]) -> type[Architecture] | None:
    return named_architecture(words[:1], {})


@click.command(
    "bench",
    cls=ArchitectureCommand,
    finder=_finder,
    hidden_options=NOT_TAKEN,
    examples=(
        "ganzoo bench dcgan",
        "ganzoo bench dcgan --preset tutorial --against plain --precision bf16",
        "ganzoo bench dcgan --preset small --against bare --json",
        "ganzoo bench dcgan --preset tutorial --against 'main.py --dataset folder --dataroot {folder} --niter 1'",
    ),
)
@click.argument("architecture", metavar="ARCH")
@click.option("--on", "dataset", default="anime", metavar="DATA", help="The data set to train on. [default: anime]")
@click.option(
    "--against",
    metavar="plain|bare|FILE.py …",
    help="Compare with the PyTorch tutorial's loop (plain), the step by hand, without a trainer (bare), or a script.",
)
@click.option("--preset", metavar="NAME", help="Start from this row of the architecture's presets.")
@click.option("--rounds", type=int, default=5, metavar="INT", help="Turns of each. [default: 5]")
@click.option("--turn", type=int, default=8, metavar="INT", help="Steps in a turn. [default: 8]")
@json_option("sentences")
def bench(
    architecture: str,
    dataset: str,
    against: str | None,
    preset: str | None,
    rounds: int,
    turn: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure how fast an architecture trains here.

    With --against, ganzoo and the other loop train in turns, so that both see the same machine; the ratio is the
    median over the rounds. Takes the architecture's options too.

    A script runs as whole processes in turn with `ganzoo train`, both on --images pictures. In its arguments {folder}
    stands for the folder of the pictures (JPEG, one class), {images} for their number, {batch} for the batch.
    """
    import ganzoo

    given = {name: value for name, value in options.items() if value is not None}
    result = ganzoo.bench(architecture, dataset, against=against, preset=preset, rounds=rounds, steps=turn, **given)
    if as_json:
        print_json(asdict(result))
    else:
        _say(result)


def _say(result: Result) -> None:
    facts = result.protocol
    echo(
        f"{facts['architecture']} on {facts['data']} {facts['shape']}, batch {facts['batch_size']}, "
        f"{facts['precision']} on {facts['device']} ({facts['threads']} threads), torch {facts['torch']}."
    )
    echo(f"ganzoo: {result.images_per_second:.1f} images/s{_memory(result.peak_memory_bytes)}")
    if result.ratio is not None:
        spread = f"{min(result.ratios):.2f} to {max(result.ratios):.2f} over {len(result.ratios)} rounds"
        echo(
            f"{facts['against']}: {result.plain_images_per_second:.1f} images/s"
            f"{_memory(result.plain_peak_memory_bytes)}"
        )
        echo(f"ratio: {result.ratio:.2f} ({spread})")
    echo(
        f"{result.flops_per_image / 1e9:.2f} GFLOP an image: {result.ceiling_share:.0%} of what a large matrix "
        f"product reaches here ({facts['ceiling_flops'] / 1e9:.0f} GFLOP/s)."
    )


def _memory(amount: int | None) -> str:
    return "" if amount is None else f", at most {amount / 2**20:.0f} MB of memory"
