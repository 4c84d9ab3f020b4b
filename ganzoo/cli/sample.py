"""`ganzoo sample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, seed_option, truncation_option
from ganzoo.cli.output import echo
from ganzoo.errors import UsageError
from ganzoo.files import written
from ganzoo.runs.address import stem

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from ganzoo.contract.modality import Modality
    from ganzoo.model.model import Model

SHOWN_WIDTH = 24  # characters that an image on the terminal should have at least


@click.command(
    "sample",
    cls=Command,
    examples=(
        "ganzoo sample runs/dcgan-anime-1",
        "ganzoo sample runs/dcgan-anime-1 -n 16 --seed 7 -o sixteen.png --show",
        "ganzoo sample model.safetensors -n 1000 -o faces/",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.option("-n", "--number", "count", type=int, default=64, metavar="INT", help="How many images. [default: 64]")
@seed_option("The same seed makes the same images.")
@click.option(
    "--label",
    metavar="LABEL",
    help="Only of this class, by name, or by position as '#2', where it was trained with them.",
)
@click.option("--code", metavar="CODE", help="Chosen codes of the latents, where it has some: 3, or 3,c1=-0.5.")
@truncation_option
@click.option("-o", "--out", metavar="FILE|DIR", help="A .png for a sheet, .npy; .csv, .wav …, by kind; or a folder.")
@click.option("--columns", type=int, metavar="INT", help="Images in a row of the grid.")
@click.option("--show", is_flag=True, help="Draw some of them in the terminal as well.")
@device_option
def sample(
    source: str,
    count: int,
    seed: int,
    label: str | None,
    code: str | None,
    truncation: float,
    out: str | None,
    columns: int | None,
    show: bool,
    device: str,
) -> None:
    """Make new images with a trained run or model.

    RUN|MODEL is a run's folder, also while it trains, or a model.safetensors file. Without -o the grid is written
    into the run's samples folder, or beside you for a file, and its name is printed.
    """
    import ganzoo

    target = None if out is None else Path(out)
    if columns is not None and columns < 1:
        raise UsageError(f"--columns {columns} is too small; it takes 1 or more.")
    model = ganzoo.load(source, device=device)
    modality = model.modality
    if target is not None:
        _check_target(target, modality)
    images = model.sample(count, seed=seed, label=label, truncation=truncation, code=code)
    made = f"{count:,} {modality.items} are" if count > 1 else f"1 {modality.items.removesuffix('s')} is"
    if target is not None and is_folder(out or ""):
        _write_each(images, target, modality)
    else:
        target = target or default_file(source, model, seed, label, truncation, code)
        with written(target) as part:
            _write_all(images, part, modality, columns)
    echo(f"{made} in {target}.")
    if show:
        _draw(images, columns, modality)


def is_folder(out: str) -> bool:
    """Whether -o means a folder: it is one, or its name has no ending."""
    return out.endswith(("/", "\\")) or Path(out).is_dir() or not Path(out).suffix


def default_file(
    source: str, model: Model, seed: int, label: str | None, truncation: float, code: str | None = None
) -> Path:
    """Where a grid goes without -o: told apart by what makes the images differ."""
    name = (
        f"seed-{seed}"
        + (f"-label-{label}" if label else "")
        + (f"-code-{code}" if code else "")
        + (f"-truncation-{truncation:g}" if truncation != 1 else "")
    )
    if Path(source).is_dir():
        return Path(source) / "samples" / f"{name}.png"
    start = f"{named_after(source, model)}-samples"
    return Path(f"{start}.png" if name == "seed-0" else f"{start}-{name}.png")


def named_after(source: str, model: Model) -> str:
    """What results are called that are written beside the user: after the file or address, unless that says nothing."""
    name = stem(source)
    return name if name not in ("", "model") else model.name


def _check_target(target: Path, modality: Modality) -> None:
    """Raises: UsageError when -o names what such items cannot be written to."""
    endings = [".png", ".npy", *modality.writes]
    if is_folder(str(target)):
        if not modality.each:
            takes = ", ".join(modality.writes) or ".npy"
            raise UsageError(f"{modality.items.capitalize()} are written together; give -o a file: .png or {takes}.")
    elif target.suffix.lower() not in endings:
        folder = " or a folder" if modality.each else ""
        raise UsageError(f"-o takes a {', '.join(endings[:-1])} or {endings[-1]} file{folder}, not {target}.")


def _write_all(items: Tensor, file: Path, modality: Modality, columns: int | None) -> None:
    """A sheet, numbers as the data has them, or one of the modality's own files."""
    ending = file.suffix.lower()
    if ending == ".png":
        modality.sheet(items, columns).save(file)
    elif ending == ".npy":
        import numpy

        with file.open("wb") as opened:
            numpy.save(opened, modality.decode(items).numpy())
    else:
        modality.save(items, file)


def _write_each(items: Tensor, folder: Path, modality: Modality) -> None:
    digits = max(4, len(str(len(items))))
    for number, item in enumerate(items, 1):
        with written(folder / f"{number:0{digits}}{modality.each}") as part:
            modality.save(item[None], part)


def _draw(images: Tensor, columns: int | None, modality: Modality) -> None:
    """As many images as the terminal has room for, large enough to see something."""
    from ganzoo.cli.output import console
    from ganzoo.pictures.grid import in_terminal

    out = console()
    out.print(
        in_terminal(_on_screen(images, columns, modality, out.width, out.height), out.width), soft_wrap=True, end=""
    )


def _on_screen(images: Tensor, columns: int | None, modality: Modality, width: int, height: int) -> Image.Image:
    if modality.name != "image":
        return modality.sheet(images[: modality.shown], columns)
    across = columns or max(1, min(len(images), width // min(SHOWN_WIDTH, images.shape[3] + 2)))
    lines = max(1, round(width / across / images.shape[3] * images.shape[2] / 2))
    rows = max(1, (height - 3) // lines)
    return modality.sheet(images[: rows * across], across)


def beside(source: str, model: Model, name: str) -> Path:
    """Where a result goes without -o: into a run's samples, or the working folder, named after the model's file."""
    if Path(source).is_dir():
        return Path(source) / "samples" / name
    return Path(f"{named_after(source, model)}-{name}")
