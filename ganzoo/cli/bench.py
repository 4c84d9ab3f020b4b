"""`ganzoo bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import MAX_TIME, ArchitectureCommand, json_option, named_architecture
from ganzoo.cli.output import echo, print_json
from ganzoo.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.benchmark.bench import Result
    from ganzoo.benchmark.until import Reached
    from ganzoo.contract.architecture import Architecture

# What a benchmark decides itself.
NOT_TAKEN = ("processes", "checkpoint_every", "samples", "log")


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
        "ganzoo bench lsgan --on mnist --preset digits-32 --until confident=0.8 --max-time 1h",
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
@click.option(
    "--until",
    metavar="SCORE=NUMBER",
    help="Train until a score is reached, such as confident=0.8, and say how long it took. The run is kept.",
)
@MAX_TIME
@click.option("--out", metavar="DIR", help="With --until, the run's folder. [default: runs/ARCH-DATA-N]")
@click.option("--continue", "go_on", is_flag=True, help="With --until, go on with that run if there is one already.")
@json_option("sentences")
def bench(
    architecture: str,
    dataset: str,
    against: str | None,
    preset: str | None,
    rounds: int,
    turn: int,
    until: str | None,
    max_time: str | None,
    out: str | None,
    go_on: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure how fast an architecture trains here.

    With --against, ganzoo and the other loop train in turns, so that both see the same machine; the ratio is the
    median over the rounds. Takes the architecture's options too.

    A script runs as whole processes in turn with `ganzoo train`, both on --images pictures. In its arguments {folder}
    stands for the folder of the pictures (JPEG, one class), {images} for their number, {batch} for the batch.

    With --until it trains and evaluates, every 5,000 images or as --evaluate-every says, until the score is reached;
    the length and --max-time end it earlier. --against then says what as many images would take the other loop.
    """
    import ganzoo

    given = {name: value for name, value in options.items() if value is not None}
    if until is not None:
        from ganzoo.cli.progress import choose_display
        from ganzoo.loop.display import Display

        display = Display() if as_json else choose_display()
        try:
            reached = ganzoo.time_to_quality(
                architecture, dataset, until, preset=preset, against=against, max_time=max_time, out=out, go_on=go_on,
                display=display, **given,
            )  # fmt: skip
        finally:
            display.close()
        _say_reached(reached, as_json)
        return
    if max_time or out or go_on or "steps" in given or "epochs" in given:
        raise UsageError(
            "--max-time, --out, --continue, --steps and --epochs are for --until; else it times --turn steps."
        )
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


def _say_reached(result: Reached, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(result), "row": result.row})
        return
    value = "no score yet" if result.value is None else f"{result.score} {result.value:.4g}"
    how = "Reached" if result.reached else "Not reached"
    echo(f"{how}: {value} in {result.minutes:.1f} minutes and {result.images:,} images; the run is {result.run}.")
    if result.other_minutes is not None:
        echo(f"{result.against}: {result.other_minutes:.1f} minutes for as many images (ratio {result.ratio:.2f}).")
    if not result.reached:
        echo(f"To go on: ganzoo resume {result.run}")
    echo(result.row)


def _memory(amount: int | None) -> str:
    return "" if amount is None else f", at most {amount / 2**20:.0f} MB of memory"
