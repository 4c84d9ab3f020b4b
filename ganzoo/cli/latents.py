"""`ganzoo interpolate` and `ganzoo project`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.sample import named_after
from ganzoo.errors import GanzooError, UsageError

if TYPE_CHECKING:
    from ganzoo.model.model import Model

ROW = 10  # images of a stretch in a grid
MOVING = 25  # images of a stretch in a movie: a second
SEED = click.option("--seed", type=int, default=0, metavar="INT", help="The same seed, the same images. [default: 0]")
DEVICE = click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute. [default: auto]")


@click.command(
    "interpolate",
    cls=Command,
    examples=(
        "ganzoo interpolate runs/dcgan-anime-1",
        "ganzoo interpolate runs/dcgan-anime-1 --points 12 --seed 7 -o walk.mp4",
        "ganzoo interpolate runs/dcgan-anime-1 --points 4 --frames 8 -o rows.png",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.option("--points", type=int, default=6, metavar="INT", help="Images to pass through. [default: 6]")
@click.option(
    "--frames", type=int, metavar="INT", help=f"Images from one to the next. [default: {MOVING}; {ROW} in a .png]"
)
@SEED
@click.option("--label", metavar="LABEL", help="The class of all of them, by name or number; without, one is drawn.")
@click.option(
    "--truncation", type=float, default=1.0, metavar="NUMBER", help="Less than 1: more typical, less varied images."
)
@click.option("-o", "--out", metavar="FILE", help="A .gif or .mp4 for a movie, a .png for a grid.")
@DEVICE
def interpolate(
    source: str,
    points: int,
    frames: int | None,
    seed: int,
    label: str | None,
    truncation: float,
    out: str | None,
    device: str,
) -> None:
    """Walk from image to image through the latents, and back to the first.

    A movie repeats without a seam. A grid has a row for each stretch of the walk, with both its ends. Without -o a
    .gif is written into the run's samples folder, or beside you for a file. An .mp4 needs ffmpeg.
    """
    import ganzoo
    from ganzoo.pictures.movie import KINDS, find_encoder, save_movie

    kind = Path(out).suffix.lower() if out is not None else ".gif"
    if kind not in (".png", *KINDS):
        raise UsageError(f"-o takes a .gif, .mp4 or .png file, not {out}.")
    if kind == ".mp4":
        find_encoder()
    model = ganzoo.load(source, device=device)
    if kind != ".png" and model.modality.name != "image":
        raise UsageError(f"{model.modality.items.capitalize()} make no movie; give -o a .png file.")
    in_rows = kind == ".png"
    length = (ROW if in_rows else MOVING) if frames is None else frames
    file = Path(out) if out is not None else beside(source, model, f"interpolate-seed-{seed}.gif")
    images = model.interpolate(points, length, seed, label, truncation, ends=in_rows)
    try:
        if in_rows:
            file.parent.mkdir(parents=True, exist_ok=True)
            model.modality.sheet(images, columns=length).save(file)
        else:
            save_movie(images, file)
    except OSError as error:
        raise unwritable(file, error) from error
    click.echo(f"{len(images)} {model.modality.items} are in {file}.")


@click.command(
    "project",
    cls=Command,
    examples=(
        "ganzoo project runs/dcgan-anime-1 face.png",
        "ganzoo project runs/dcgan-anime-1 face.png --vary 16 -o versions.png",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.argument("image", metavar="IMAGE")
@click.option("--steps", type=int, default=200, metavar="INT", help="Of the descent. [default: 200]")
@click.option("--starts", type=int, default=4, metavar="INT", help="Descents; the best one counts. [default: 4]")
@click.option("--vary", type=int, default=0, metavar="INT", help="Make so many new versions of the image as well.")
@click.option(
    "--strength", type=float, default=0.3, metavar="NUMBER", help="How new they are, from 0 to 1. [default: 0.3]"
)
@SEED
@click.option("--label", metavar="LABEL", help="The class to look in; without, the one that fits best.")
@click.option("-o", "--out", metavar="FILE", help="A .png: the image, what was found, and the new versions.")
@DEVICE
def project(
    source: str,
    image: str,
    steps: int,
    starts: int,
    vary: int,
    strength: float,
    seed: int,
    label: str | None,
    out: str | None,
    device: str,
) -> None:
    """Find the latent of an image, and make new versions of it.

    The image is cropped and scaled to what the model makes; gradient descent finds the nearest image that the model
    can make, and the mean squared error says how near (in [-1, 1], beside that of the model's mean image). Without -o
    the sheet is written into the run's samples folder, or beside you for a file.
    """
    import torch

    import ganzoo

    if out is not None and Path(out).suffix.lower() != ".png":
        raise UsageError(f"-o takes a .png file, not {out}.")
    if vary < 0:
        raise UsageError(f"--vary {vary} is too small; it takes 0 or more.")
    model = ganzoo.load(source, device=device)
    found = model.project(image, steps, starts, seed, label)
    shown = torch.stack([found.target, found.image])
    if vary:
        shown = torch.cat([shown, model.vary(found, vary, strength, seed)])
    file = Path(out) if out is not None else beside(source, model, f"project-{Path(image).stem}-seed-{seed}.png")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        ganzoo.sheet(shown, columns=None if len(shown) > 10 else len(shown)).save(file)
    except OSError as error:
        raise unwritable(file, error) from error
    click.echo(f"Mean squared error {found.error:.4f}; the model's mean image would have {found.mean_error:.4f}.")
    versions = f", the nearest image, then {vary} new {'versions' if vary > 1 else 'version'}"
    click.echo(f"{image}{versions if vary else ' and the nearest image'} are in {file}.")


def beside(source: str, model: Model, name: str) -> Path:
    """Where a result goes without -o: into a run's samples, or the working folder, named after the model's file."""
    if Path(source).is_dir():
        return Path(source) / "samples" / name
    return Path(f"{named_after(source, model)}-{name}")


def unwritable(file: Path, error: OSError) -> GanzooError:
    """What a person is told whose -o cannot be written."""
    return GanzooError(f"{file} cannot be written ({error.strerror or error}); choose another -o.")
