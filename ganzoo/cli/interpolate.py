"""`ganzoo interpolate`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, quiet_option, scale_option, seed_option, truncation_option
from ganzoo.cli.output import check_sheet, pictures_notes, wrote
from ganzoo.cli.sample import COUNT, beside
from ganzoo.errors import UsageError
from ganzoo.files import written

POINTS = 6  # images that a walk passes through
ROW = 10  # images of a stretch in a grid
MOVING = 25  # images of a stretch in a movie: a second
MOVIES = (".gif", ".mp4")


@click.command(
    "interpolate",
    cls=Command,
    examples=(
        "ganzoo interpolate runs/dcgan-anime-1",
        "ganzoo interpolate runs/dcgan-anime-1 --points 12 --seed 7 -o walk.mp4",
        "ganzoo interpolate runs/dcgan-anime-1 --points 4 --frames 8 -o rows.png",
        "ganzoo interpolate runs/dcgan-anime-1 --seed 7 --index 3,17",
        "ganzoo interpolate runs/vaegan-anime-1 me.jpg you.jpg -o between.gif",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.argument("between", metavar="[IMAGE...]", nargs=-1)
@click.option("--points", type=int, metavar="INT", help=f"Images to pass through. [default: {POINTS}]")
@click.option(
    "--frames", type=int, metavar="INT", help=f"Images from one to the next. [default: {MOVING}; {ROW} in a .png]"
)
@seed_option("The same seed, the same images.")
@click.option(
    "--label", metavar="LABEL", help="The class of all of them, by name, or by position as '#2'; without, one is drawn."
)
@click.option("--index", metavar="INT,INT…", help="Walk between these images of `ganzoo sample`'s sheet of that seed.")
@click.option(
    "-n", "--number", "count", type=int, metavar="INT", help=f"How many images that sheet has. [default: {COUNT}]"
)
@click.option("--code", metavar="NAME", help="Walk along this code of the latents, where it has some.")
@truncation_option
@click.option("-o", "--out", metavar="FILE", help="A .gif or .mp4 for a movie, a .png, .jpg or .webp for a grid.")
@scale_option
@quiet_option
@device_option
def interpolate(
    source: str,
    between: tuple[str, ...],
    points: int | None,
    frames: int | None,
    seed: int,
    label: str | None,
    index: str | None,
    count: int | None,
    code: str | None,
    truncation: float,
    out: str | None,
    scale: int | None,
    quiet: bool,
    device: str,
) -> None:
    """Walk from image to image through the latents, and back to the first.

    The images are samples, those of --index or the first ones, or of a model with an encoder those that are given, as
    its latents bring them back.
    A movie repeats without a seam. A grid has a row for each stretch of the walk, with both its ends. Without -o a
    .gif is written into the run's samples folder, or beside you for a file. An .mp4 needs ffmpeg:
    pip install 'ganzoo[movie]' brings it.
    """
    import ganzoo
    from ganzoo.pictures.framed import framed, save_sheet

    kind = Path(out).suffix.lower() if out is not None else ".gif"
    check_sheet(out or "a.gif", MOVIES)
    stops = _numbers(index)
    if stops and (points is not None or between):
        raise UsageError("--index says which images to walk between; leave out --points and other images.")
    if count is not None and not stops:
        raise UsageError("-n says how many images the sheet of --index has; leave it out, or give --index 3,17.")
    if kind in MOVIES:
        ganzoo.check_movie(out or "a.gif")
    model = ganzoo.load(source, device=device)
    if kind in MOVIES and model.modality.name != "image":
        raise UsageError(f"{model.modality.items.capitalize()} make no movie; give -o a .png file.")
    in_rows = kind not in MOVIES
    length = (ROW if in_rows else MOVING) if frames is None else frames
    file = Path(out) if out is not None else beside(source, model, f"interpolate-seed-{seed}.gif")
    count = COUNT if count is None else count
    walked = (POINTS if points is None else points, length, seed, label, truncation, in_rows, code, between or None)
    images = model.interpolate(*walked, stops, count)
    if in_rows:
        along = "" if code is None else f"along {code}"
        what = f"class {label}" if label is not None else ""
        caption = model.header.caption(seed, *filter(None, (what, along)))
        ends = (
            [Path(each).stem for each in between]
            or [*map(str, stops)]
            or [str(number) for number in range(1, len(images) // length + 1)]
        )
        stretches = [f"{start} → {end}" for start, end in zip(ends, [*ends[1:], ends[0]], strict=True)]
        side = max(images.shape[2:]) if model.modality.name == "image" else 0
        names = stretches if side and code is None else ()
        sheet = framed(model.modality.sheet(images, columns=length), caption, names, side=side, scale=scale)
        with written(file) as part:
            save_sheet(sheet, part, pictures_notes(seed))
    else:
        ganzoo.save_movie(images, file)
    wrote(f"{len(images)} {model.modality.items} are in", file, quiet=quiet)


def _numbers(index: str | None) -> list[int]:
    """``"3,17"`` is [3, 17]. Raises: UsageError."""
    if index is None:
        return []
    try:
        return [int(word) for word in index.split(",")]
    except ValueError:
        raise UsageError(f"--index takes numbers of images such as 3,17, not {index}.") from None
