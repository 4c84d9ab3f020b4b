"""`ganzoo weights add`, `list` and `remove`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.cli.framework import Command, Group
from ganzoo.cli.output import echo, table, wrote

COMMANDS = {
    "list": ("Commands", "ganzoo.cli.weights:list_weights", "List the pretrained weights that you added."),
    "add": ("Commands", "ganzoo.cli.weights:add", "Give the file of an architecture's pretrained weights."),
    "remove": ("Commands", "ganzoo.cli.weights:remove", "Delete weights that you added."),
}

weights = Group("weights", lazy=COMMANDS, help="Add, list and remove pretrained weights that architectures ask for.")


@click.command("list", cls=Command, takes_plugins=False, examples=("ganzoo weights list",))
def list_weights() -> None:
    """List the pretrained weights that you added.

    Each with its size and SHA-256, by which it is checked before it is used.
    """
    from ganzoo.files import megabytes
    from ganzoo.runs import weights as store

    rows = [(file.name, megabytes(file.stat().st_size), store.sha256(file)) for file in store.added()]
    table(("name", "size", "SHA-256"), rows, right=("size",)).print()


@click.command("add", cls=Command, takes_plugins=False, examples=("ganzoo weights add vgg16 vgg16.safetensors",))
@click.argument("name", metavar="NAME")
@click.argument("file", metavar="FILE")
def add(name: str, file: str) -> None:
    """Give the file of an architecture's pretrained weights.

    NAME is what the architecture calls them. FILE is a .safetensors file, or a checkpoint of torch that holds only
    tensors; nothing in it is run. It is copied, and checked by its hash when it is used.
    """
    from ganzoo.runs import weights as store

    wrote(f"The weights {name} are in", store.add(name, Path(file)))


@click.command("remove", cls=Command, takes_plugins=False, examples=("ganzoo weights remove vgg16",))
@click.argument("name", metavar="NAME")
def remove(name: str) -> None:
    """Delete weights that you added.

    The file that they were copied from is left alone.
    """
    from ganzoo.runs import weights as store

    store.remove(name)
    echo(f"The weights {name} are removed.")
