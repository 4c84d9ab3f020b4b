"""`ganzoo sample`."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.foreseen import check_memory, foreseen
from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, quiet_option, scale_option, seed_option, truncation_option
from ganzoo.cli.output import check_sheet, pictures_notes, wrote
from ganzoo.cli.together import together
from ganzoo.errors import UsageError
from ganzoo.files import written
from ganzoo.runs.address import stem

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from ganzoo.contract.modality import Modality
    from ganzoo.model.model import Model

COUNT = 64  # images on a sheet
STRENGTH = 0.3  # of versions of an image
SHOWN_WIDTH = 24  # characters that an image on the terminal should have at least


@click.command(
    "sample",
    cls=Command,
    examples=(
        "ganzoo sample runs/dcgan-anime-1",
        "ganzoo sample runs/dcgan-anime-1 -n 16 --seed 7 -o sixteen.png --show",
        "ganzoo sample runs/dcgan-anime-1 --seed 7 --index 12",
        "ganzoo sample runs/dcgan-anime-1 --seed 7 --index 12 --vary 8",
        "ganzoo sample model.safetensors --seeds 0-99 -o faces/",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.option("-n", "--number", "count", type=int, metavar="INT", help=f"How many images. [default: {COUNT}]")
@seed_option("The same seed makes the same images.")
@click.option("--seeds", metavar="N|A-B|A,B", help="One image of each seed, in a file named by it: 0-99, or 4,8.")
@click.option("--index", type=int, metavar="INT", help="Only this image of the sheet, counted from 1, row by row.")
@click.option("--vary", type=int, metavar="INT", help="So many new versions of the image of --index, in its place.")
@click.option("--strength", type=float, metavar="NUMBER", help="How new they are, from 0 to 1. [default: 0.3]")
@click.option(
    "--label",
    metavar="LABEL",
    help="Only of this class, by name, or by position as '#2', where it was trained with them.",
)
@click.option("--code", metavar="CODE", help="Chosen codes of the latents, where it has some: 3, or 3,c1=-0.5.")
@truncation_option
@click.option(
    "-o", "--out", metavar="FILE|DIR", help="A .png, .jpg, .webp for a sheet, .npy; .csv, .wav …, by kind; or a folder."
)
@click.option("--columns", type=int, metavar="INT", help="Images in a row of the grid.")
@scale_option
@click.option("--show", is_flag=True, help="Draw some of them in the terminal as well.")
@quiet_option
@device_option
@together
def sample(
    source: str,
    count: int | None,
    seed: int,
    seeds: str | None,
    index: int | None,
    vary: int | None,
    strength: float | None,
    label: str | None,
    code: str | None,
    truncation: float,
    out: str | None,
    columns: int | None,
    scale: int | None,
    show: bool,
    quiet: bool,
    device: str,
) -> None:
    """Make new images with a trained run or model.

    RUN|MODEL is a run's folder, also while it trains, or a model.safetensors file. Without -o the grid is written
    into the run's samples folder, or beside you for a file. The last line says where; a PNG says its seed and command.
    """
    import torch

    import ganzoo
    from ganzoo.contract import distributed
    from ganzoo.contract.settings import parse_seeds
    from ganzoo.model.model import BATCH

    target = None if out is None else Path(out)
    _check_options(count, seeds, index, vary, strength, columns)
    count = COUNT if count is None else count
    many = None if seeds is None else parse_seeds(seeds, seed)
    model = ganzoo.load(source, device=device)
    modality = model.modality
    if many is not None and not modality.each:
        raise UsageError(f"{modality.items.capitalize()} are written together; leave out --seeds.")
    if target is not None:
        _check_target(target, modality, folder_only=many is not None)
    drawn: dict[str, Any] = {"label": label, "truncation": truncation, "code": code}
    batches: Iterable[Tensor]
    each_apart = many is not None or (target is not None and is_folder(out or ""))
    said = _said(label, code, truncation)
    rank, world = distributed.rank(), distributed.world()
    if vary is not None and index is not None:
        strength = STRENGTH if strength is None else strength
        batches, count = [model.vary_sample(index, count, vary, strength, seed, **drawn)], vary
        said += [f"versions of image {index}", f"strength {strength:g}"]
    elif many is not None:
        batches, count = (model.sample(1, seed=each, **drawn) for each in many[rank::world]), len(many)
    else:
        check_memory(4 * (model.architecture.latent_dim or 0) * count, count, modality)
        batches = model.batches(count, seed, **drawn, part=(rank, world) if each_apart else (0, 1))
    usual = default_file(source, model, seed, label, truncation, code)
    seeds_folder = usual.with_name("seeds" if Path(source).is_dir() else f"{named_after(source, model)}-seeds")
    place = target or (seeds_folder if each_apart else usual)
    batches = foreseen(batches, count, modality, place, each_apart)
    if index is not None or not each_apart:
        with distributed.together():
            images = torch.cat(list(batches))
        images = images if index is None or vary is not None else images[index - 1 : index]
        batches, count = [images], len(images)
    notes = pictures_notes(seed)
    made = f"{count:,} {modality.items} are" if count > 1 else f"1 {modality.items.removesuffix('s')} is"
    if each_apart:
        digits = max(4, len(str(count)))
        names = [f"{n:0{digits}}" for n in range(1, count + 1)] if many is None else [f"seed-{n:04d}" for n in many]
        files = [place / f"{name}{modality.each}" for name in names]
        at_a_time = BATCH if many is None else 1
        own = [file for at, file in enumerate(files) if at // at_a_time % world == rank]
        images = _write_each(batches, own, modality)
        distributed.any_of(False, torch.device("cpu"))  # all processes have written theirs
        wrote(f"{made} in", *files, *([] if quiet else [place]), quiet=quiet)
    elif rank == 0:
        one = f"{usual.stem}-index-{index}" + ("" if vary is None else "-versions")
        target = target or (usual if index is None else usual.with_stem(one))
        caption = "" if index and vary is None else model.header.caption(seed, *said)
        with written(target) as part:
            _write_all(images, part, modality, columns, caption, scale, notes)
        wrote(f"{made} in", target, quiet=quiet)
    if show and rank == 0:
        _draw(images, columns, modality)


def _check_options(
    count: int | None,
    seeds: str | None,
    index: int | None,
    vary: int | None,
    strength: float | None,
    columns: int | None,
) -> None:
    """Raises: UsageError for options that do not go together, or are out of range."""
    if columns is not None and columns < 1:
        raise UsageError(f"--columns {columns} is too small; it takes 1 or more.")
    if seeds is not None and (count is not None or index is not None or columns is not None):
        raise UsageError("--seeds makes one image of each seed; leave out -n, --index and --columns.")
    count = COUNT if count is None else count
    if index is not None and not 1 <= index <= count:
        raise UsageError(f"--index {index} is none of the {count:,} images, which are counted from 1; see -n.")
    if vary is not None and index is None:
        raise UsageError("--vary makes versions of one image; say which with --index, such as --index 12.")
    if strength is not None and vary is None:
        raise UsageError("--strength says how new the images of --vary are; leave it out, or add --vary 8.")


def _said(label: str | None, code: str | None, truncation: float) -> list[str]:
    """What a caption says of the options that change the images."""
    words = {"label": label, "code": code, "truncation": None if truncation == 1 else f"{truncation:g}"}
    return [f"{name} {value}" for name, value in words.items() if value is not None]


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


def _check_target(target: Path, modality: Modality, folder_only: bool = False) -> None:
    """Raises: UsageError when -o names what such items cannot be written to."""

    if folder_only and not is_folder(str(target)):
        raise UsageError(f"--seeds writes a file for each; give -o a folder, not {target}.")
    if not is_folder(str(target)):
        check_sheet(target, (".npy", *modality.writes), folder=bool(modality.each))
    elif not modality.each:
        takes = ", ".join(modality.writes) or ".npy"
        raise UsageError(f"{modality.items.capitalize()} are written together; give -o a file: .png or {takes}.")


def _write_all(
    items: Tensor,
    file: Path,
    modality: Modality,
    columns: int | None,
    caption: str,
    scale: int | None,
    notes: dict[str, str],
) -> None:
    """A sheet, numbers as the data has them, or one of the modality's own files."""
    from ganzoo.pictures.framed import SHEETS, framed, save_sheet
    from ganzoo.pictures.grid import to_picture

    ending = file.suffix.lower()
    if ending in SHEETS:
        side = max(items.shape[2:]) if modality.name == "image" else 0
        alone = modality.name == "image" and not caption  # one image of a sheet: as it is, unless --scale
        picture = to_picture(items[0]) if alone else modality.sheet(items, columns)
        save_sheet(framed(picture, caption, side=0 if alone else side, scale=scale), file, notes)
    elif ending == ".npy":
        import numpy

        with file.open("wb") as opened:
            numpy.save(opened, modality.decode(items).numpy())
    else:
        modality.save(items, file)


def _write_each(batches: Iterable[Tensor], files: Iterable[Path], modality: Modality) -> Tensor:
    """A file for each item. Returns: the first items: no more are held.

    A batch is written while the next is made: encoding a PNG leaves Python to others.
    """
    import torch

    kept: list[Tensor] = []
    left = iter(files)

    def write(batch: Tensor, its: list[Path]) -> None:
        for item, file in zip(batch, its, strict=True):
            with written(file) as part:
                modality.save(item[None], part)

    with ThreadPoolExecutor(1) as writer:
        before: Future[None] | None = None
        for batch in batches:
            if sum(map(len, kept)) < COUNT:
                kept.append(batch)
            if before is not None:
                before.result()
            before = writer.submit(write, batch, list(islice(left, len(batch))))
        if before is not None:
            before.result()
    return torch.cat(kept) if kept else torch.empty(0)


def _draw(images: Tensor, columns: int | None, modality: Modality) -> None:
    """As many images as the terminal has room for, large enough to see something."""
    from ganzoo.cli.output import console
    from ganzoo.cli.pictures import in_terminal

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
