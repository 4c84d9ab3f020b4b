"""`ganzoo plugins new`."""

from __future__ import annotations

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.output import echo
from ganzoo.scaffold import KINDS, TASKS, clash, write_plugin

# What there is to try, for each kind of plugin.
TRY = {
    "architecture": "ganzoo train {name} digits",
    "conditional": "ganzoo train {name} digits",
    "translation": "ganzoo train {name} anime-hair",
    "dataset": "ganzoo train dcgan {name}",
    "loss": "ganzoo train dcgan digits --loss {name}",
    "penalty": "ganzoo train dcgan digits --penalty {name}",
    "augmentation": "ganzoo train dcgan digits --augment {name}",
    "metric": "ganzoo evaluate RUN --metric {name}",
    "logger": "ganzoo train dcgan digits --log {name}",
    "modality": "ganzoo data add mine FOLDER --as {name}",
    "scheme": "ganzoo push RUN {name}://faces",
    "command": "ganzoo {name} RUN",
    "recipe": "ganzoo train --recipe {name}",
}


@click.command(
    "new",
    cls=Command,
    takes_plugins=False,
    examples=(
        "ganzoo plugins new my-gan",
        "ganzoo plugins new began --title BEGAN",
        "ganzoo plugins new my-gan --task conditional",
        "ganzoo plugins new my-loss --kind loss",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--kind", default="architecture", metavar="KIND", help=f"{', '.join(KINDS)}. [default: architecture]")
@click.option("--task", default=TASKS[0], metavar="TASK", help=f"{', '.join(TASKS)}. [default: {TASKS[0]}]")
@click.option("--title", default="", metavar="TEXT", help="How the name is written in text: BEGAN. [default: a guess]")
@click.option("--out", metavar="DIR", help="The folder to write. [default: ganzoo-NAME]")
def new(name: str, kind: str, task: str, title: str, out: str | None) -> None:
    """Write a plugin of your own to begin with.

    It is a whole distribution, which works as it stands: a small architecture that trains (or whatever --kind says),
    tests, README, licence, changelog and a CI file. Your name comes from git's settings. Nothing is downloaded.
    """
    folder = write_plugin(name, kind=kind, task=task, title=title, out=out)
    name = name.removeprefix("ganzoo-")
    problem = clash(name, kind)
    if problem:
        echo(f"Note: {problem}", err=True)
    called = f"ganzoo-{name}:{name}" if problem else name
    usage = TRY.get(task if kind == "architecture" else kind, TRY["architecture"]).format(name=called)
    where = f'"{folder}"' if " " in str(folder) else str(folder)
    where = where if folder.is_absolute() or folder.parts[:1] == ("..",) else f"./{where}"
    echo(f"{folder} is written. Install it, use it, check it:")
    for line in (f"pip install -e {where}", usage, f"ganzoo plugins check {name}"):
        echo(f"    {line}")
