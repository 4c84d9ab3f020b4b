"""`ganzoo bench`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ganzoo.api import Display, UsageError, printable

if TYPE_CHECKING:
    from ganzoo_bench.speed import Result
    from ganzoo_bench.until import Reached


@click.command("bench")
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
@click.option("--max-time", metavar="TIME", help="Save and stop after this long, such as 8h or 1h30m; exit code 75.")
@click.option("--out", metavar="DIR", help="With --until, the run's folder. [default: runs/ARCH-DATA-N]")
@click.option("--continue", "go_on", is_flag=True, help="With --until, go on with that run if there is one already.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of sentences.")
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
    follow: Callable[[Callable[[Any], Any]], None],
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
    from ganzoo_bench import speed
    from ganzoo_bench.until import time_to_quality

    given = {name: value for name, value in options.items() if value is not None}
    if until is not None:
        found: list[Reached] = []

        def work(display: Display) -> None:
            found.append(
                time_to_quality(
                    architecture, dataset, until, preset=preset, against=against, max_time=max_time, out=out,
                    go_on=go_on, display=display, **given,
                )
            )  # fmt: skip

        if as_json:
            work(Display())
        else:
            follow(work)
        _say_reached(found[0], as_json)
        return
    if max_time or out or go_on or "steps" in given or "epochs" in given:
        raise UsageError(
            "--max-time, --out, --continue, --steps and --epochs are for --until; else it times --turn steps."
        )
    result = speed.bench(architecture, dataset, against=against, preset=preset, rounds=rounds, steps=turn, **given)
    if as_json:
        click.echo(json.dumps(asdict(result), indent=2))
    else:
        _say(result)


def _say(result: Result) -> None:
    facts = result.protocol
    _echo(
        f"{facts['architecture']} on {facts['data']} {facts['shape']}, batch {facts['batch_size']}, "
        f"{facts['precision']} on {facts['device']} ({facts['threads']} threads), torch {facts['torch']}."
    )
    _echo(f"ganzoo: {result.images_per_second:.1f} images/s{_memory(result.peak_memory_bytes)}")
    if result.ratio is not None:
        spread = f"{min(result.ratios):.2f} to {max(result.ratios):.2f} over {len(result.ratios)} rounds"
        _echo(
            f"{facts['against']}: {result.plain_images_per_second:.1f} images/s"
            f"{_memory(result.plain_peak_memory_bytes)}"
        )
        _echo(f"ratio: {result.ratio:.2f} ({spread})")
    _echo(
        f"{result.flops_per_image / 1e9:.2f} GFLOP an image: {result.ceiling_share:.0%} of what a large matrix "
        f"product reaches here ({facts['ceiling_flops'] / 1e9:.0f} GFLOP/s)."
    )


def _say_reached(result: Reached, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(result), "row": result.row}, indent=2))
        return
    value = "no score yet" if result.value is None else f"{result.score} {result.value:.4g}"
    how = "Reached" if result.reached else "Not reached"
    _echo(f"{how}: {value} in {result.minutes:.1f} minutes and {result.images:,} images; the run is {result.run}.")
    if result.other_minutes is not None:
        _echo(f"{result.against}: {result.other_minutes:.1f} minutes for as many images (ratio {result.ratio:.2f}).")
    if not result.reached:
        _echo(f"To go on: ganzoo resume {result.run}")
    _echo(result.row)


def _memory(amount: int | None) -> str:
    return "" if amount is None else f", at most {amount / 2**20:.0f} MB of memory"


def _echo(text: str) -> None:
    click.echo(printable(text))
