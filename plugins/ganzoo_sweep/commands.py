"""`ganzoo sweep`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ganzoo.api import UsageError, parse_seeds, read_toml

KEYS = ("architecture", "data", "preset", "recipe", "options", "over", "seeds", "out", "jobs")


@click.command("sweep")
@click.argument("architecture", required=False, metavar="ARCH|FILE.toml")
@click.argument("dataset", required=False, metavar="[DATA]")
@click.option("--over", multiple=True, metavar="NAME=A,B", help="An option and its values; `;` for lists.")
@click.option("--seeds", metavar="N|A-B|A,B", help="Three from --seed on: 3; a range: 0-9; these: 4,8. [default: 1]")
@click.option("--preset", metavar="NAME", help="Start from this row of the architecture's presets.")
@click.option("--recipe", metavar="NAME|FILE", help="Train as a recipe says: a name, or a TOML file.")
@click.option("--out", metavar="DIR", help="The folder of the runs. [default: runs/ARCH-DATA-N]")
@click.option("--jobs", type=click.IntRange(1, 64), metavar="INT", help="Train this many side by side. [default: 1]")
@click.option("--max-time", metavar="TIME", help="Save and stop after this long, such as 8h or 1h30m; exit code 75.")
def sweep(
    architecture: str | None,
    dataset: str | None,
    over: tuple[str, ...],
    seeds: str | None,
    preset: str | None,
    recipe: str | None,
    out: str | None,
    jobs: int | None,
    max_time: str | None,
    follow: Callable[[Callable[[Any], Any]], None],
    seed: str | None = None,
    **options: Any,
) -> None:
    """Train a run for each choice of options, and for several seeds.

    Each value of one --over is trained with each of every other, and with each seed, in a folder of its own within one
    folder. All are checked before the first is trained. After a stop the same command, or `ganzoo resume` with the
    folder, goes on; at the end stands the table that `ganzoo compare` prints.

    A TOML file says the same by the keys architecture, data, preset, recipe, seeds, out, jobs and the tables [options]
    and [over]; what is typed as well goes before.
    """
    from ganzoo_sweep import sweep as runs

    told: dict[str, Any] = {}
    if architecture and architecture.endswith(".toml"):
        told, architecture = _read(architecture), None
    typed = dict(map(parse_over, over))
    ways = {**told.get("over", {}), **typed}
    if len(typed) < len(over):
        raise UsageError("--over names an option twice; write its values with commas between.")
    given = {**told.get("options", {}), **{name: value for name, value in options.items() if value is not None}}
    first = int(seed or given.pop("seed", 0) or 0)
    chosen = parse_seeds(seeds or told.get("seeds", 1), first)
    if (architecture or told.get("architecture") or recipe) and not ways and len(chosen) < 2:
        raise UsageError("Say what is to vary: an option's values, as --over lr=1e-4,2e-4, or --seeds 3.")
    follow(
        lambda display: runs.sweep(
            architecture or told.get("architecture"),
            dataset or told.get("data"),
            over=ways,
            seeds=chosen,
            preset=preset or told.get("preset"),
            recipe=recipe or told.get("recipe"),
            out=out or told.get("out"),
            jobs=jobs or told.get("jobs", 1),
            max_time=max_time,
            display=display,
            **given,
        )
    )


def parse_over(text: str) -> tuple[str, tuple[str, ...]]:
    """``"lr=1e-4,2e-4"`` is ``("lr", ("1e-4", "2e-4"))``; values with commas of their own have `;` between.

    Raises: UsageError when it is not of this form.
    """
    name, _, values = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    listed = tuple(each.strip() for each in values.split(";" if ";" in values else ",") if each.strip())
    if not name or not listed:
        raise UsageError(f"--over {text} is not understood; it takes an option and its values: --over lr=1e-4,2e-4")
    return name, tuple(dict.fromkeys(listed))


def _read(name: str) -> dict[str, Any]:
    """What a file says. Raises: UsageError."""
    table = read_toml(name, "sweep", KEYS)
    for key, value in table.items():
        kind = dict if key in ("options", "over") else int if key == "jobs" else (int, str) if key == "seeds" else str
        if not isinstance(value, kind):
            raise UsageError(f"The sweep {name}: {key} cannot be {value!r}; `ganzoo sweep --help` says what it is.")
    for key, values in table.get("over", {}).items():
        if not isinstance(values, list) or not values:
            raise UsageError(f"The sweep {name}: {key} under [over] must be a list of values.")
    return table
