"""`ganzoo push` and `ganzoo pull`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import click

from ganzoo.api import GanzooError, Report, architecture_of, printable


@click.command("push")
@click.argument("run", metavar="RUN")
@click.argument("destination", metavar="DEST")
@click.option("--private", is_flag=True, help="Make the repository so that only you see it.")
@click.option("--licence", default="", metavar="SPDX", help="The weights' licence, such as cc-by-4.0, for the page.")
@click.option("--no-samples", is_flag=True, help="Publish no sheet of samples.")
@click.option("--dry-run", is_flag=True, help="Show what would be published, and send nothing.")
def push(run: str, destination: str, private: bool, licence: str, no_samples: bool, dry_run: bool) -> None:
    """Publish a run's model with a page about it.

    DEST is hf://USER/NAME on the Hugging Face hub, or a new folder, to look at what would be published. Four files are
    written: model.safetensors, README.md (architecture, data and its origin, every option, scores, how to use it),
    samples.png, and run.json without folders of yours. A model that translates shows images of its data set on its
    sheet of samples. The hub needs a package of its own: pip install 'ganzoo[hub]'.
    """
    from ganzoo_hub import sharing

    if dry_run:
        sizes, facts = sharing.preview(run, destination, licence=licence, samples=not no_samples)
        click.echo(facts.rstrip("\n"))
        for name, size in sizes.items():
            click.echo(printable(f"{name}: {size:,} bytes"))
        click.echo(printable(f"Nothing was published at {destination}; leave out --dry-run to do it."))
        return
    where = sharing.push(run, destination, private=private, licence=licence, samples=not no_samples)
    click.echo(printable(f"{run} is published: {where}"))
    if destination.startswith("hf://"):
        click.echo(printable(f"Others use it with: ganzoo sample {destination}"))


@click.command("pull")
@click.argument("source", metavar="SOURCE")
@click.option("-o", "--out", metavar="FILE", help="Where to write. [default: named after the source, here]")
def pull(source: str, out: str | None, progress: Callable[[], AbstractContextManager[Report]]) -> None:
    """Fetch a published model into a file.

    SOURCE is hf://USER/NAME or hf://USER/NAME@REVISION on the Hugging Face hub, or a URL. Only the model's file is
    fetched, it is checked by hash, and nothing in it is executed. Commands that take RUN|MODEL take such a SOURCE too.
    """
    from ganzoo_hub import sharing

    with progress() as report:
        pulled = sharing.pull(source, out, report)
    click.echo(printable(f"{pulled.file} is from {pulled.address}, SHA-256 {pulled.sha256}."))
    try:
        entry = architecture_of(pulled.header, str(pulled.file))
    except GanzooError as error:
        click.echo(printable(str(error)), err=True)
        return
    data = pulled.header.data
    click.echo(printable(f"A {entry.card.title} trained on {data.name} ({data.origin})."))
    verb = "translate" if "translation" in entry.card.tasks else "sample"
    click.echo(printable(f"Use it with: ganzoo {verb} {pulled.file}"))
