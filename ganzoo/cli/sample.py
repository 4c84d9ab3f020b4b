"""`ganzoo sample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.cli.framework import Command
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs.address import stem

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

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
@click.option("--seed", type=int, default=0, metavar="INT", help="The same seed makes the same images. [default: 0]")
@click.option("--label", metavar="LABEL", help="Only of this class, by name or number, where it was trained with them.")
@click.option(
    "--truncation", type=float, default=1.0, metavar="NUMBER", help="Less than 1: more typical, less varied images."
)
@click.option("-o", "--out", metavar="FILE|DIR", help="A PNG file for a grid, or a folder for one PNG an image.")
@click.option("--columns", type=int, metavar="INT", help="Images in a row of the grid.")
@click.option("--show", is_flag=True, help="Draw some of them in the terminal as well.")
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute. [default: auto]")
def sample(
    source: str,
    count: int,
    seed: int,
    label: str | None,
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
    if target is not None and not is_folder(out or "") and target.suffix.lower() != ".png":
        raise UsageError(f"-o takes a .png file or a folder, not {out}.")
    if columns is not None and columns < 1:
        raise UsageError(f"--columns {columns} is too small; it takes 1 or more.")
    model = ganzoo.load(source, device=device)
    images = model.sample(count, seed=seed, label=label, truncation=truncation)
    made = f"{count:,} images are" if count > 1 else "1 image is"
    try:
        if target is not None and is_folder(out or ""):
            _write_each(images, target)
            click.echo(f"{made} in {target}.")
        else:
            file = target or default_file(source, model, seed, label, truncation)
            file.parent.mkdir(parents=True, exist_ok=True)
            ganzoo.sheet(images, columns).save(file)
            click.echo(f"{made} in {file}.")
    except OSError as error:
        raise GanzooError(
            f"{out or source} cannot be written ({error.strerror or error}); choose another -o."
        ) from error
    if show:
        _draw(images, columns)


def is_folder(out: str) -> bool:
    """Whether -o means a folder: it is one, or its name has no ending."""
    return out.endswith(("/", "\\")) or Path(out).is_dir() or not Path(out).suffix


def default_file(source: str, model: Model, seed: int, label: str | None, truncation: float) -> Path:
    """Where a grid goes without -o: told apart by what makes the images differ."""
    name = (
        f"seed-{seed}"
        + (f"-label-{label}" if label else "")
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


def _write_each(images: Tensor, folder: Path) -> None:
    import ganzoo

    if images.dim() != 4:
        raise UsageError("These are points, not images, and are drawn together; give -o a .png file.")
    folder.mkdir(parents=True, exist_ok=True)
    digits = max(4, len(str(len(images))))
    for number, image in enumerate(images, 1):
        ganzoo.sheet(image[None], gap=0).save(folder / f"{number:0{digits}}.png")


def _draw(images: Tensor, columns: int | None) -> None:
    """As many images as the terminal has room for, large enough to see something."""
    from ganzoo.cli.output import console
    from ganzoo.pictures.grid import in_terminal

    out = console()
    out.print(in_terminal(_on_screen(images, columns, out.width, out.height), out.width), soft_wrap=True, end="")


def _on_screen(images: Tensor, columns: int | None, width: int, height: int) -> Image.Image:
    import ganzoo

    if images.dim() != 4:
        return ganzoo.sheet(images)
    across = columns or max(1, min(len(images), width // min(SHOWN_WIDTH, images.shape[3] + 2)))
    lines = max(1, round(width / across / images.shape[3] * images.shape[2] / 2))
    rows = max(1, (height - 3) // lines)
    return ganzoo.sheet(images[: rows * across], across)
