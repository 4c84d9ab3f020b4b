"""`ganzoo train`, `ganzoo resume` and `ganzoo extend`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import ArchitectureCommand, named_architecture
from ganzoo.cli.training import follow
from ganzoo.settings import FIXED_IN_A_RUN

if TYPE_CHECKING:
    from ganzoo.architecture import Architecture


@click.command(
    "train",
    cls=ArchitectureCommand,
    finder=named_architecture,
    examples=(
        "ganzoo train dcgan anime",
        "ganzoo train dcgan anime --epochs 5 --lr 1e-4 --loss hinge",
        "ganzoo train --recipe report-anime --continue",
    ),
)
@click.argument("architecture", required=False, metavar="[ARCH]")
@click.argument("dataset", required=False, metavar="[DATA]")
@click.option("--preset", metavar="NAME", help="Start from this row of the architecture's presets.")
@click.option("--recipe", metavar="NAME|FILE", help="Train as a recipe says: a name, or a TOML file.")
@click.option("--out", metavar="DIR", help="The run's folder. [default: runs/ARCH-DATA-N]")
@click.option("--continue", "go_on", is_flag=True, help="Go on with that run if there is one already.")
@click.option("--init", metavar="RUN|MODEL", help="Take the first weights from a run or a model file.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be trained, and stop.")
def train(
    architecture: str | None,
    dataset: str | None,
    preset: str | None,
    recipe: str | None,
    out: str | None,
    go_on: bool,
    init: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Train an architecture on a data set.

    ARCH is a name that `ganzoo list` gives, DATA one that `ganzoo data list` gives; a recipe says both itself. The
    run gets a folder with its checkpoints, samples and losses, which `ganzoo resume` and `ganzoo sample` take. Ctrl-C
    saves and stops.

    `ganzoo train ARCH --help` also lists the architecture's own options.
    """
    import ganzoo

    if dry_run:
        from ganzoo.cli.dry_run import dry_run as rehearse

        rehearse(architecture, dataset, preset, recipe, out, options)
        return
    follow(
        lambda display: ganzoo.train(
            architecture,
            dataset,
            preset=preset,
            recipe=recipe,
            out=out,
            init=init,
            go_on=go_on,
            display=display,
            **options,
        )
    )


@click.command("resume", cls=Command, examples=("ganzoo resume runs/dcgan-anime-1",))
@click.argument("run", metavar="RUN")
def resume(run: str) -> None:
    """Go on with a run exactly where it stopped.

    RUN is its folder; `ganzoo runs` lists them. It ends as if it had never been stopped.
    """
    import ganzoo

    follow(lambda display: ganzoo.resume(run, display=display))


def _architecture_of_run(words: Sequence[str], given: Mapping[str, str]) -> type[Architecture] | None:
    """The architecture of the first word that is a run, for its options. Raises: UsageError when none is."""
    from pathlib import Path

    if not words:
        return None
    from ganzoo.runs import Run
    from ganzoo.training import plan_of

    folder = next((word for word in words if (Path(word) / "run.json").exists()), words[0])
    return plan_of(Run.open(folder)).model


@click.command(
    "extend",
    cls=ArchitectureCommand,
    finder=_architecture_of_run,
    hidden_options=FIXED_IN_A_RUN,  # refused by `ganzoo.extend`, which says why
    examples=("ganzoo extend runs/dcgan-anime-1 --epochs 5 --lr 1e-4 --beta1 0.3",),
)
@click.argument("run", metavar="RUN")
def extend(run: str, **options: Any) -> None:
    """Train a run further, with changed options.

    Adds a stage to RUN, as long as --epochs, --images or --steps says. Weights and the optimizers' state go along;
    options given here, such as --lr, hold from then on.

    `ganzoo extend RUN --help` also lists the options of the run's architecture.
    """
    import ganzoo

    follow(lambda display: ganzoo.extend(run, display=display, **options))
