"""`ganzoo data list`, `add`, `show` and `remove`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.framework import Command, Group
from ganzoo.cli.options import json_option
from ganzoo.cli.output import echo, fact, print_json, table
from ganzoo.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.data import Info

FITTED = {
    "crop": "scaled until it covers the resolution, then the middle is cut out",
    "pad": "scaled until it fits inside the resolution, with a border",
    "stretch": "squeezed to the resolution, without regard to its shape",
}
NAMED = 30  # skipped files, and classes, that are named after adding; `ganzoo data show` names them all

COMMANDS = {
    "list": ("Commands", "ganzoo.cli.data:list_data", "List the data sets that can be trained on."),
    "add": ("Commands", "ganzoo.cli.data:add", "Give images, sounds or a table of your own a name to train on."),
    "show": ("Commands", "ganzoo.cli.data:show", "Say everything about a data set."),
    "remove": ("Commands", "ganzoo.cli.data:remove", "Forget a data set that you added."),
}

data = Group("data", lazy=COMMANDS, help="Add, list, look at and remove data sets.")


@click.command("list", cls=Command, examples=("ganzoo data list",))
@json_option()
def list_data(as_json: bool) -> None:
    """List the data sets that can be trained on.

    Those that you added, and those that plugins bring; one of yours hides a plugin's of the same name.
    """
    from ganzoo import data as store

    found = store.names()
    if as_json:
        print_json([_facts(info) for info in found])
        return
    shown = table(("name", "items", "size", "labels", "origin"), (), right=("items",))
    for info in found:
        if info.problem:
            shown.add_row(info.name, "", "", "", info.problem, style="red")
        else:
            shown.add_row(info.name, f"{info.images:,}", size(info), _labels(info), info.origin)
    shown.print()


@click.command(
    "add",
    cls=Command,
    takes_plugins=False,
    examples=(
        "ganzoo data add faces pictures/faces",
        "ganzoo data add faces faces.zip --labels labels.csv",
        "ganzoo data add horse2zebra horses/ zebras/",
        "ganzoo data add seasons summer=pictures/s winter=pictures/w autumn=pictures/a",
        "ganzoo data add drums drums/ --as signal:length=16384",
        "ganzoo data add facades facades/ --pairs halves",
    ),
)
@click.argument("name", metavar="NAME")
@click.argument("source", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--fit", default="crop", metavar="crop|pad|stretch", help="How images of another shape are fitted. [default: crop]"
)
@click.option(
    "--labels",
    metavar="FILE|folders|none",
    help="Labels: a CSV of file,label,…, CelebA's list, or a dataset.json; the folders; none. [default: what is found]",
)
@click.option("--label-column", metavar="NAME[,NAME]", help="Columns of that file to take. [default: all]")
@click.option(
    "--parts",
    default="auto",
    metavar="auto|none|train=A,test=B+C",
    help="Folders to train on and to hold out; auto goes by the names train, test and val. [default: auto]",
)
@click.option(
    "--as",
    "modality",
    default="",
    metavar="KIND",
    help="What the items are: signal:length=16384, table.",
)
@click.option(
    "--pairs",
    metavar="halves|names|FILE",
    help="Items of the two domains belong together: the halves of each picture, by file name, or a CSV of two names.",
)
@click.option(
    "--levels",
    default="auto",
    metavar="auto|LOW-HIGH",
    help="Stored values that become black and white, of more than 8 bits; LOW:HIGH if signed. [default: the set's own]",
)
@click.option("--pages", default="first", metavar="first|all", help="Pages or frames of a file. [default: first]")
@click.option("--max-pixels", type=click.IntRange(1), metavar="N", help="In one picture. [default: 89478485]")
@click.option(
    "--max-unpacked", type=click.IntRange(1), metavar="BYTES", help="Of a tar or array. [default: 1000000000]"
)
@click.option("--names", default="", metavar="ENCODING", help="Of names in a zip: shift_jis. [default: what they say]")
@click.option("--skip-bad", is_flag=True, help="Go on even if more than 5 % of the images cannot be read.")
def add(
    name: str,
    source: tuple[str, ...],
    fit: str,
    labels: str | None,
    label_column: str | None,
    parts: str,
    modality: str,
    pairs: str | None,
    levels: str,
    pages: str,
    max_pixels: int | None,
    max_unpacked: int | None,
    names: str,
    skip_bad: bool,
) -> None:
    """Give images, sounds or a table of your own a name to train on.

    SOURCE is a folder of images or sounds (its sub-folders are labels), a table as .csv or .parquet, a zip, tar, idx or
    npz file, a folder of tars (WebDataset), a URL, a set of torchvision's such as torchvision://MNIST, or of the
    Hugging Face hub, hf://datasets/USER/NAME. Several sources are the domains of a translation, A, B, …, or named:
    summer=pictures/s winter=pictures/w. Every item is read once; those that cannot be read are left out and named at
    the end. The files stay where they are.
    """
    from ganzoo import data as store
    from ganzoo.cli.progress import choose_display
    from ganzoo.data.images import MAX_PIXELS, MAX_UNPACKED

    for each in source:
        if (Path(each) / "run.json").is_file():
            raise UsageError(f"{each} is a run; `ganzoo sample {each} -n 100 -o FOLDER/` makes images to add.")
    display = choose_display()
    try:
        info = store.add(
            name,
            source,
            fit=fit,
            labels=labels,
            label_columns=tuple(label_column.split(",")) if label_column else (),
            parts=parts,
            skip_bad=skip_bad,
            modality=modality,
            pairs=pairs,
            levels=levels,
            pages=pages,
            max_pixels=max_pixels or MAX_PIXELS,
            max_unpacked=max_unpacked or MAX_UNPACKED,
            names=names,
            report=display.report,
            say=display.say,
        )
    finally:
        display.close()
    _print_info(info, NAMED, layout=False)
    if pairs is None and not info.domains and info.width and info.width == 2 * (info.height or 0):
        echo(
            "Its pictures are twice as wide as high. If each shows a pair side by side, type: "
            f"ganzoo data remove {name}; ganzoo data add {name} {' '.join(source)} --pairs halves"
        )
    echo(f"Train on it with: ganzoo train ARCH {name}")


@click.command("show", cls=Command, examples=("ganzoo data show anime",))
@click.argument("name", metavar="NAME")
@json_option("text")
def show(name: str, as_json: bool) -> None:
    """Say everything about a data set.

    Where it comes from, how many images of which size, its labels and domains, and the files that were left out.
    """
    from ganzoo import data as store

    info = store.info(name)
    if as_json:
        print_json(_facts(info))
    else:
        _print_info(info, None)


@click.command("remove", cls=Command, takes_plugins=False, examples=("ganzoo data remove faces",))
@click.argument("name", metavar="NAME")
def remove(name: str) -> None:
    """Forget a data set that you added.

    What ganzoo made of it for training is deleted; your own files are left alone.
    """
    from ganzoo import data as store

    store.remove(name)
    echo(f"{name} is forgotten. The files it came from are where they were.")


def size(info: Info) -> str:
    """Such as "64×64 colour", "mixed grey", "points" or "signal 1×4096"."""
    if info.channels is None:
        return "points" if info.modality == "point" else f"{info.modality} {'×'.join(map(str, info.shape))}"
    colour = _colour(info.channels)
    if info.domain_channels:
        colour = ", ".join(f"{name} {_colour(channels)}" for name, channels in info.domain_channels.items())
    if info.domain_sizes:
        return ", ".join([*(f"{name} {'×'.join(map(str, own))}" for name, own in info.domain_sizes.items()), colour])
    return f"{info.height}×{info.width} {colour}" if info.height else f"mixed sizes, {colour}"


def _colour(channels: int) -> str:
    return {1: "grey", 3: "colour", 4: "with alpha"}.get(channels, f"{channels} channels")


def _labels(info: Info) -> str:
    if info.domains:
        return ", ".join(info.domains)
    columns = len(info.label_names)
    if columns:
        return f"{columns} {info.label_kind if columns > 1 else info.label_kind.removesuffix('s')}"
    return f"{len(info.classes) or 'none'}"


def _levels(info: Info) -> str:
    """Which stored values became black and white, where these are not the 0 and 255 of bytes."""
    if not any(info.levels):
        return ""
    return " and ".join(each or "0-255" for each in info.levels) + ", from black to white (another: --levels LOW-HIGH)"


def _items(info: Info) -> str:
    """Several of its items in words."""
    from ganzoo.catalogue.modalities import modality_card

    return modality_card(info.modality).items


def _details(info: Info) -> list[tuple[str, str]]:
    """What the modality says of the whole: a sample rate, columns and their types."""
    if info.modality in ("image", "point"):
        return []
    from ganzoo.catalogue.modalities import modality_class

    return list(modality_class(info.modality).describe(info.details).items())


def _facts(info: Info) -> dict[str, Any]:
    return {
        "name": info.name,
        "origin": info.origin,
        "images": info.images,
        "classes": list(info.classes),
        "label_kind": info.label_kind,
        "label_names": list(info.label_names),
        "domains": dict(info.domains),
        "paired": info.paired,
        "channels": info.channels,
        "height": info.height,
        "modality": info.modality,
        "shape": list(info.shape),
        "details": dict(info.details),
        "width": info.width,
        "domain_channels": dict(info.domain_channels),
        "domain_sizes": {name: list(own) for name, own in info.domain_sizes.items()},
        "short_sides": dict(info.short_sides),
        "held_out": info.held_out,
        "class_counts": {name: {"train": both[0], "test": both[1]} for name, both in info.class_counts.items()},
        "layout": list(info.layout),
        "kind": info.kind,
        "source": info.source,
        "fingerprint": info.fingerprint,
        "sha256": info.sha256 or None,
        "fit": info.fit,
        "levels": list(info.levels),
        "notes": list(info.notes),
        "skipped": list(info.skipped_files),
        "problem": info.problem or None,
    }


def _counted(info: Info, side: int, named: int | None) -> str:
    """The first classes with the number of items that are trained on, or held out (`side` 1)."""
    counts = {name: both[side] for name, both in info.class_counts.items()}
    shown = [f"{name} ({counts[name]:,})" if name in counts else name for name in info.classes[:named]]
    more = len(info.classes) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more: ganzoo data show {info.name}" if more else "")


def _print_info(info: Info, named: int | None, layout: bool = True) -> None:
    """`named`: so many of the classes and of the files that were left out, None for all; `layout`: what the folders
    were taken for, too.
    """
    held_out = f"{info.held_out:,}, kept for scoring: {_counted(info, 1, named)}".rstrip(": ")
    rows = [
        ("name", info.name),
        ("origin", info.origin),
        ("source", info.source),
        ("SHA-256", info.sha256),
        (_items(info), f"{info.images:,}, {size(info)}"),
        *_details(info),
        ("labels", _counted(info, 0, named)),
        ("columns", ", ".join(info.label_names) + f" ({info.label_kind})" if info.label_names else ""),
        (
            "domains",
            ", ".join(f"{name} ({count:,})" for name, count in info.domains.items())
            + (", in pairs" if info.paired else ""),
        ),
        ("held out", held_out if info.held_out else ""),
        ("sizes", ", ".join(f"{side} pixels: {count:,}" for side, count in info.short_sides.items())),
        ("fit", f"{info.fit}: {FITTED[info.fit]}" if info.kind == "user" and info.modality == "image" else ""),
        ("levels", _levels(info)),
        ("left out", f"{info.skipped:,} that are not used" if info.skipped else ""),
    ]
    for label, text in rows:
        if text:
            fact(label, text, 9)
    for file in info.skipped_files[:named]:
        echo(f"  {file}")
    for note in (*(info.layout if layout else ()), *info.notes):
        echo(note)
    hidden = len(info.skipped_files) - len(info.skipped_files[:named])
    if hidden:
        echo(f"  and {hidden:,} more: ganzoo data show {info.name}")
