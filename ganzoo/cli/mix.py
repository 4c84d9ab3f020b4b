"""`ganzoo mix`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, quiet_option, scale_option, seed_option, truncation_option
from ganzoo.cli.output import check_sheet, pictures_notes, wrote
from ganzoo.cli.sample import default_file
from ganzoo.errors import UsageError
from ganzoo.files import written


@click.command(
    "mix",
    cls=Command,
    examples=("ganzoo mix runs/stylegan-anime-1", "ganzoo mix runs/stylegan-anime-1 --rows 3 --cutoff 2 -o mixed.png"),
)
@click.argument("source", metavar="RUN|MODEL")
@click.option("--rows", type=int, default=4, metavar="INT", help="Images that give coarse styles. [default: 4]")
@click.option("--columns", type=int, default=6, metavar="INT", help="Images that give fine styles. [default: 6]")
@click.option(
    "--cutoff", type=int, metavar="INT", help="Layers with coarse styles, from the first. [default: those up to 8×8]"
)
@seed_option("The same seed makes the same images.")
@truncation_option
@click.option("--label", metavar="LABEL", help="The class of all of them; without, the seed draws one.")
@click.option("-o", "--out", metavar="FILE", help="A .png, .jpg or .webp file.")
@scale_option
@quiet_option
@device_option
def mix(
    source: str,
    rows: int,
    columns: int,
    cutoff: int | None,
    seed: int,
    truncation: float,
    label: str | None,
    out: str | None,
    scale: int | None,
    quiet: bool,
    device: str,
) -> None:
    """Mix the styles of generated images.

    Each image of the sheet takes its coarse styles (pose, shape) from the image at the left of its row and its fine
    ones (colours, texture) from the image above its column. Only architectures with styles can. Without -o the sheet
    is written into the run's samples folder, or beside you for a model file; the last line says where.
    """
    import torch

    import ganzoo
    from ganzoo.pictures.framed import save_sheet

    if out is not None:
        check_sheet(out)
    if rows < 1 or columns < 1:
        raise UsageError("A sheet has at least one row and one column.")
    model = ganzoo.load(source, device=device)
    z = model.noise(rows + columns, seed)
    coarse, fine = z[:rows], z[rows:]
    chosen = model.labels(1, seed, label)
    mixed = model.mix(coarse, fine, cutoff, truncation, None if chosen is None else int(chosen))
    labels = None if chosen is None else chosen.expand(len(z))
    made = model.generate(z, labels, truncation)
    left, above = made[:rows], made[rows:]
    lines = [torch.cat([torch.ones_like(above[:1]), above])]  # the corner is white
    lines += [torch.cat([left[i : i + 1], mixed[i]]) for i in range(rows)]
    usual = default_file(source, model, seed, label, truncation)
    kind = "mix" if cutoff is None else f"mix-{cutoff}"
    file = Path(out) if out else usual.with_name(f"{kind}-{usual.name}")
    layers = "" if cutoff is None else f", {cutoff} layers coarse"
    caption = model.header.caption(seed, f"coarse styles from the left, fine styles from above{layers}")
    names = ["", *(f"{number}" for number in range(1, rows + 1))]
    heads = ["", *(f"{number}" for number in range(rows + 1, rows + columns + 1))]
    with written(file) as part:
        sheet = ganzoo.sheet(torch.cat(lines), columns + 1, scale=scale, caption=caption, rows=names, heads=heads)
        save_sheet(sheet, part, pictures_notes(seed))
    wrote(f"{rows} × {columns} mixed images are in", file, quiet=quiet)
