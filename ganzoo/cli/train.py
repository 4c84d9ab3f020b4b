"""`ganzoo train`, `ganzoo resume` and `ganzoo extend`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.follow import follow
from ganzoo.cli.framework import Command
from ganzoo.cli.options import MAX_TIME, ArchitectureCommand, json_option, named_architecture
from ganzoo.contract.settings import FIXED_IN_A_RUN
from ganzoo.errors import UsageError

FORCE = click.option(
    "--force", is_flag=True, help="Go on although another process seems to train it, as a network disk may say."
)
if TYPE_CHECKING:
    from ganzoo.contract.architecture import Architecture


@click.command(
    "train",
    cls=ArchitectureCommand,
    finder=named_architecture,
    examples=(
        "ganzoo train dcgan anime",
        "ganzoo train dcgan anime --epochs 5 --lr 1e-4 --loss hinge",
        "ganzoo train --recipe report-anime --continue",
        "ganzoo train dcgan digits --preset digits --per-class --steps 1000",
    ),
)
@click.argument("architecture", required=False, metavar="[ARCH]")
@click.argument("dataset", required=False, metavar="[DATA]")
@click.option("--preset", metavar="NAME", help="Start from this row of the architecture's presets.")
@click.option("--recipe", metavar="NAME|FILE", help="Train as a recipe says: a name, or a TOML file.")
@click.option("--out", metavar="DIR", help="The run's folder. [default: runs/ARCH-DATA-N]")
@click.option("--continue", "go_on", is_flag=True, help="Go on with that run if there is one already.")
@click.option("--init", metavar="RUN|MODEL", help="Take the first weights from a run or a model file.")
@click.option("--class", "label", metavar="LABEL", help="Train on this label only, by name, or by position as '#2'.")
@click.option("--per-class", is_flag=True, help="Train a model for each label, one after the other.")
@MAX_TIME
@click.option("--seeds", metavar="N|A-B|A,B", help="Train a run for each seed: 3 from --seed on, 0-9, or 4,8.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be trained, and stop: `ganzoo plan`.")
@json_option("text, with --dry-run")
@click.option("--print-recipe", is_flag=True, help="Print the TOML that trains the same with --recipe, and stop.")
def train(
    architecture: str | None,
    dataset: str | None,
    preset: str | None,
    recipe: str | None,
    out: str | None,
    go_on: bool,
    init: str | None,
    label: str | None,
    per_class: bool,
    max_time: str | None,
    seeds: str | None,
    dry_run: bool,
    as_json: bool,
    print_recipe: bool,
    **options: Any,
) -> None:
    """Train an architecture on a data set.

    ARCH is a name that `ganzoo list` gives, or a file of your own such as ./my_gan.py; DATA is a name that
    `ganzoo data list` gives; a recipe says both itself. The run gets a folder with its checkpoints, samples and
    losses, which `ganzoo resume` and `ganzoo sample` take. Ctrl-C saves and stops.

    With --per-class the folder holds a run for each label, and a sheet with a row of images for each; `ganzoo resume`
    takes that folder too.

    `ganzoo train ARCH --help` also lists the architecture's own options.
    """
    import ganzoo

    if per_class and label is not None:
        raise UsageError("Give --class for one label or --per-class for a model of each, not both.")
    per_class = per_class or (label is None and _is_per_class(recipe))
    what = {"preset": preset, "recipe": recipe, **options}
    if print_recipe:
        from ganzoo.cli.print_recipe import print_recipe as show

        show(architecture, dataset, label, per_class, what)
        return
    if dry_run:
        from ganzoo.cli.dry_run import dry_run as rehearse
        from ganzoo.contract.settings import parse_seeds

        rehearse(
            architecture, dataset, what, label=label, per_class=per_class, init=init, out=out, max_time=max_time,
            seeds=parse_seeds(seeds, int(options.get("seed") or 0)) if seeds is not None else (), as_json=as_json,
        )  # fmt: skip
        return
    if as_json:
        raise UsageError("--json is for --dry-run; a run's numbers are in its metrics.jsonl.")
    if seeds is not None:
        more = per_class or label is not None or init is not None
        _train_seeds(architecture, dataset, seeds, more, out, {**what, "max_time": max_time})
        return
    what = {**what, "out": out, "init": init, "go_on": go_on, "max_time": max_time}
    if per_class:
        follow(lambda display: ganzoo.train_per_class(architecture, dataset, display=display, **what))
    else:
        follow(lambda display: ganzoo.train(architecture, dataset, label=label, display=display, **what))


@click.command(
    "plan",
    cls=ArchitectureCommand,
    finder=named_architecture,
    examples=("ganzoo plan dcgan anime", "ganzoo plan stylegan mnist --preset small --images 300000 --json"),
)
def plan(**given: Any) -> None:
    """Say what a training would take: time, memory, disk.

    It is `ganzoo train --dry-run`, and takes what `ganzoo train` takes. It checks everything, times a few steps on
    weights that are thrown away, and says parameters, memory, the largest batch that fits, images a second, time and
    disk. Nothing is packed or trained.
    """
    click.get_current_context().invoke(train, dry_run=True, go_on=False, **given)


plan.params = [param for param in train.params if param.name not in ("dry_run", "go_on", "print_recipe")]


def _train_seeds(
    architecture: str | None, dataset: str | None, seeds: str, more: bool, out: str | None, what: Mapping[str, Any]
) -> None:
    import ganzoo
    from ganzoo.contract.settings import parse_seeds

    if more:
        raise UsageError("--seeds is for whole trainings; leave out --class, --per-class and --init.")
    chosen = parse_seeds(seeds, int(what.get("seed") or 0))
    given = {name: value for name, value in what.items() if name != "seed"}
    follow(lambda display: ganzoo.sweep(architecture, dataset, seeds=chosen, out=out, display=display, **given))


def _is_per_class(recipe: str | None) -> bool:
    from ganzoo.plan.recipe import recipe_of

    return recipe is not None and recipe_of(recipe).per_class


@click.command(
    "resume",
    cls=Command,
    elsewhere="A run is resumed as it was; `ganzoo extend RUN` trains one further with other options.",
    examples=("ganzoo resume runs/dcgan-anime-1", "ganzoo resume runs/dcgan-anime-1 --log tensorboard"),
)
@click.argument("run", required=False, metavar="RUN")
@click.option("--device", metavar="auto|cpu|cuda|mps", help="Train there from now on. [default: as before]")
@click.option("--log", metavar="TEXT", help="Tell these loggers from now on; none: no more. [default: as before]")
@click.option("--processes", type=int, metavar="INT", help="Train in this many from now on. [default: as before]")
@click.option(
    "--accumulate", type=int, metavar="INT", help="Split the batch into this many from now on. [default: as before]"
)
@click.option(
    "--recompute/--no-recompute", default=None, help="Keep less memory in a step, from now on. [default: as before]"
)
@click.option(
    "--deterministic/--no-deterministic",
    default=None,
    help="Only algorithms that give the same each time, from now on. [default: as before]",
)
@click.option(
    "--on-divergence", metavar="stop|rollback|continue", help="When losses diverge, from now on. [default: as before]"
)
@click.option(
    "--max-restarts", type=int, metavar="INT", help="Begin again when a process dies, so often. [default: as before]"
)
@MAX_TIME
@FORCE
def resume(run: str | None, **how: Any) -> None:
    """Go on with a run exactly where it stopped.

    RUN is its folder; `ganzoo runs` lists them. It ends as if it had never been stopped. The folder that --per-class
    made will do as well: it goes on at the label where it stopped; and that of a sweep.
    """
    import ganzoo
    from ganzoo.runs.run import CLASSES

    if run is None:
        raise UsageError(_which_run("resume"))
    if (Path(run) / "run.json").exists():
        follow(lambda display: ganzoo.resume(run, display=display, **how))
        return
    if how.pop("max_restarts") is not None:
        raise UsageError("--max-restarts is for a single run.")
    if (Path(run) / "sweep.json").exists():
        follow(lambda display: ganzoo.resume_sweep(run, display=display, **how))
    elif (Path(run) / CLASSES).exists():
        follow(lambda display: ganzoo.resume_per_class(run, display=display, **how))
    else:
        follow(lambda display: ganzoo.resume(run, display=display, **how))


def _which_run(command: str) -> str:
    """What to type where a run is missing: the newest one under `runs`."""
    places = [file for name in ("run", "classes", "sweep") for file in Path("runs").glob(f"*/{name}.json")]
    newest = max(places, key=lambda place: place.stat().st_mtime, default=None)
    if newest is None:
        return f"Say which run, by its folder: ganzoo {command} FOLDER. There is none in runs/."
    return f"Say which run; the newest is: ganzoo {command} {newest.parent}"


def _architecture_of_run(words: Sequence[str], given: Mapping[str, str]) -> type[Architecture] | None:
    """The architecture of the first word that is a run, for its options. Raises: UsageError when none is."""
    if not words:
        return None
    from ganzoo.runs.run import Run
    from ganzoo.training.facts import plan_of

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
@MAX_TIME
@FORCE
def extend(run: str, **options: Any) -> None:
    """Train a run further, with changed options.

    Adds a stage to RUN, as long as --epochs, --images or --steps says. Weights and the optimizers' state go along;
    options given here, such as --lr, hold from then on.

    `ganzoo extend RUN --help` also lists the options of the run's architecture.
    """
    import ganzoo

    follow(lambda display: ganzoo.extend(run, display=display, **options))
