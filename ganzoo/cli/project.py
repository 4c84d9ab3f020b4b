"""`ganzoo project`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, levels_option, quiet_option, scale_option, seed_option
from ganzoo.cli.output import check_sheet, echo, pictures_notes, wrote
from ganzoo.cli.sample import beside
from ganzoo.cli.translate import settled
from ganzoo.errors import UsageError
from ganzoo.files import written


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
@click.option("--vary", type=int, default=0, metavar="INT", help="Make this many new versions of the image as well.")
@click.option(
    "--strength", type=float, default=0.3, metavar="NUMBER", help="How new they are, from 0 to 1. [default: 0.3]"
)
@seed_option("The same seed, the same images.")
@click.option("--label", metavar="LABEL", help="The class to look in; without, the one that fits best.")
@click.option("--each-layer", is_flag=True, help="A style for each layer (w+): nearer, and less like other samples.")
@levels_option
@click.option("-o", "--out", metavar="FILE", help="A .png, .jpg or .webp: the image, what was found, the new versions.")
@scale_option
@quiet_option
@device_option
def project(
    source: str,
    image: str,
    steps: int,
    starts: int,
    vary: int,
    strength: float,
    seed: int,
    label: str | None,
    each_layer: bool,
    levels: str,
    out: str | None,
    scale: int | None,
    quiet: bool,
    device: str,
) -> None:
    """Find the latent of an image, and make new versions of it.

    The image is cropped and scaled to what the model makes; gradient descent finds the nearest image that the model
    can make, and the mean squared error says how near (in [-1, 1], beside that of the model's mean image). Without -o
    the sheet is written into the run's samples folder, or beside you for a file.
    """
    import torch

    import ganzoo
    from ganzoo.pictures.framed import save_sheet

    if out is not None:
        check_sheet(out)
    if vary < 0:
        raise UsageError(f"--vary {vary} is too small; it takes 0 or more.")
    model = ganzoo.load(source, device=device)
    model.check_projects()
    reading = settled([Path(image)], levels, model.header.data.reading(), quiet=quiet)
    projection = model.project(image, steps, starts, seed, label, each_layer, reading)
    shown = torch.stack([projection.target, projection.image])
    if vary:
        shown = torch.cat([shown, model.vary(projection, vary, strength, seed)])
    file = Path(out) if out is not None else beside(source, model, f"project-{Path(image).stem}-seed-{seed}.png")
    in_a_row = len(shown) <= 10
    heads = ["given", "nearest", *(f"version {number}" for number in range(1, vary + 1))] if in_a_row else []
    order = "given, nearest, versions" if vary and not in_a_row else ""
    said = [order, f"strength {strength:g}" if vary else "", f"error {projection.error:.4f}"]
    caption = model.header.caption(seed, *filter(None, said))
    with written(file) as part:
        sheet = ganzoo.sheet(shown, len(shown) if in_a_row else None, scale=scale, caption=caption, heads=heads)
        save_sheet(sheet, part, pictures_notes(seed))
    if not quiet:
        error, mean = projection.error, projection.mean_error
        echo(f"Mean squared error {error:.4f}; the model's mean image would have {mean:.4f}.")
    versions = f", the nearest image, then {vary} new {'versions' if vary > 1 else 'version'}"
    wrote(f"{image}{versions if vary else ' and the nearest image'} are in", file, quiet=quiet)
