"""`ganzoo translate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import device_option, levels_option, quiet_option, scale_option, seed_option
from ganzoo.cli.output import echo, pictures_notes, wrote
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import written

if TYPE_CHECKING:
    from PIL import Image

    from ganzoo.data.images import Reading
    from ganzoo.model.model import Model

T = TypeVar("T")
_TRANSPARENT = (".png", ".apng", ".webp", ".tif", ".tiff", ".avif", ".tga", ".dds", ".ico", ".jp2", ".qoi")
SHEET = "side-by-side.png"
SHOWN = 16  # pairs on the sheet, at the most


@click.command(
    "translate",
    cls=Command,
    examples=(
        "ganzoo translate runs/cyclegan-anime-hair-1 face.png --to B",
        "ganzoo translate runs/cyclegan-s2w-1 photos/ beach.jpg --to B -o winter/",
        "ganzoo translate runs/stargan-celeba-1 me.jpg --label Young=0",
    ),
)
@click.argument("source", metavar="RUN|MODEL")
@click.argument("images", metavar="IMAGE...", nargs=-1)
@click.option(
    "--to",
    "domain",
    metavar="DOMAIN",
    help="The domain to translate to, by its name in the data.  [default: the only one]",
)
@click.option(
    "--label",
    metavar="LABEL",
    help="Of a model of labels in place of domains: a class, or every attribute: Young=0,Male=1.",
)
@levels_option
@click.option("-o", "--out", metavar="DIR", help="Folder for the results; default: translated-to-DOMAIN in the run's.")
@scale_option
@quiet_option
@seed_option("The same seed, the same images, from architectures whose dropout stays on in use.")
@device_option
def translate(
    source: str,
    images: tuple[str, ...],
    domain: str | None,
    label: str | None,
    levels: str,
    out: str | None,
    scale: int | None,
    quiet: bool,
    seed: int,
    device: str,
) -> None:
    """Translate images to another domain, or to a label, with a trained run.

    An IMAGE is a file, or a folder of them. Each result has its image's file name and size, or a size in proportion to
    it where the domains differ in size, and a sheet called side-by-side.png shows the first of them next to their
    images. Sides that the networks cannot take are padded by reflection, and what was padded is cut off again.
    """
    import ganzoo
    from ganzoo.cli.pictures import side_by_side
    from ganzoo.pictures.framed import framed, save_sheet
    from ganzoo.pictures.grid import from_picture, to_picture

    files = find_images(images)
    model = ganzoo.load(source, device=device)
    if domain is None and label is None and len(model.domains) == 1:
        (domain,) = model.domains
    if domain is None and label is None and model.domains:
        raise UsageError(f"Say which domain to translate to: --to {' or --to '.join(model.domains)}.")
    if model.relabels != (label is not None) or (label is not None and domain is not None):
        raise UsageError(
            "This model translates to labels, not domains; say which: --label NAME, or --label NAME=0,NAME=1."
            if model.relabels
            else "This model translates to domains; say which with --to, and leave out --label."
        )
    domain = label or domain or ""
    model.check_goal(domain)
    data = model.architecture.data
    channels = data.shape_before(domain)[0]
    folder = Path(out) if out else default_folder(Path(source), domain)
    check_names(files, folder)
    trained = model.header.data.reading(data.domain_before(domain))
    reading = settled(files, levels, trained, model, quiet)  # reads all, so that a bad one is said now, not after hours
    opaque = 0
    pairs: list[tuple[Image.Image, Image.Image]] = []
    results = [folder / file.name for file in files]
    for position, file in enumerate(files):
        picture = read(file, model, reading)
        given = from_picture(picture, channels)
        result = to_picture(model.translate(given, domain, seed, first=position)[0])
        kept = with_alpha(result, picture, file)
        opaque += has_alpha(picture) and not has_alpha(kept)
        write(kept, folder / file.name)
        if len(pairs) < SHOWN:
            pairs.append((to_picture(given[0]), result))
    caption = model.header.caption(seed)
    with written(folder / SHEET, "choose another folder with -o") as part:
        sheet = framed(side_by_side(pairs), caption, heads=("given", f"→ {domain}"), side=side_of(pairs), scale=scale)
        save_sheet(sheet, part, pictures_notes(seed))
    count = f"{len(files)} images" if len(files) > 1 else "1 image"
    if opaque and not quiet:
        echo(f"The transparency of {opaque:,} is lost: their format has none. Name them .png to keep it.")
    wrote(f"{count} translated to {domain}, and {SHEET}, are in", *(results if quiet else ()), folder, quiet=quiet)


def side_of(pairs: list[tuple[Image.Image, Image.Image]]) -> int:
    """The longest side of the images on a sheet."""
    return max(max(image.size) for pair in pairs for image in pair)


def find_images(names: tuple[str, ...]) -> list[Path]:
    """The files named, and the image files in the folders named, by name. Raises: UsageError."""
    from ganzoo.data.kinds import is_image

    if not names:
        raise UsageError("Say which images to translate: files, or a folder of them.")
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = sorted(each for each in path.iterdir() if each.is_file() and is_image(each.name))
            if not found:
                raise UsageError(f"There are no images in the folder {name}.")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(f"There is no image {name}.")
    return files


def default_folder(source: Path, domain: str) -> Path:
    """Where results go without -o: into a run's folder, beside you for a model file."""
    return source / f"translated-to-{domain}" if source.is_dir() else Path(f"translated-to-{domain}")


def check_names(files: list[Path], folder: Path) -> None:
    """Raises: UsageError when a result cannot have its image's name, or would take the place of something else."""
    from PIL import Image

    endings, seen = Image.registered_extensions(), dict[str, Path]()
    for file in files:
        if endings.get(file.suffix.lower()) not in Image.SAVE:
            raise UsageError(f"{file} has a name that says no format to write in; rename it, such as {file.stem}.png.")
        if (folder / file.name).resolve() == file.resolve():
            raise UsageError(f"The translation of {file} would take its place; choose another folder with -o.")
        if file.name == SHEET:
            raise UsageError(f"{file} has the name of the sheet; rename it.")
        if file.name in seen:
            raise UsageError(f"{seen[file.name]} and {file} have one name; translate them into two folders, with -o.")
        seen[file.name] = file


def settled(
    files: list[Path], levels: str, trained: Reading, model: Model | None = None, quiet: bool = False
) -> Reading:
    """How the images are read: by the levels typed, else by those of training, else by the images' own.

    Says which, what of the images lies beyond them, and what is left out.

    Args:
        model: that is to translate them, which may not take small ones.
    Raises: GanzooError naming a file that cannot be read or is too small.
    """
    from ganzoo.data.images import Reading, survey
    from ganzoo.data.levels import joined, levels_text, parse_levels

    asked = Reading(parse_levels(levels))
    seen = [_checked(file, lambda data: survey(data, asked), model) for file in files]
    more = sum(each.pages - 1 for each in seen)
    if more and not quiet:
        echo(f"{more:,} further pages or frames are left out; the first of each file is taken.")
    of_training = asked.levels is None and trained.levels is not None
    reading = trained if of_training else asked.settled(each.span for each in seen)
    span = joined(each.span for each in seen)
    if reading.levels is None or span is None or quiet or not (span.wide or reading.of_bytes):
        return reading
    low, high = reading.levels
    echo(
        f"Stored values {levels_text(reading.levels)} are taken from black to white"
        f"{', as in training' if of_training else ''}; results have 8 bits."
    )
    if not low <= span.low <= span.high <= high:
        echo(
            f"The images have values from {span.low:g} to {span.high:g}, and what lies beyond is cut; another choice: "
            f"--levels={levels_text((span.low, max(span.high, span.low + 1)))}."
        )
    return reading


def read(file: Path, model: Model, reading: Reading) -> Image.Image:
    """A file's image. Raises: GanzooError naming the file that cannot be read or is too small."""
    from ganzoo.data.images import decode

    return _checked(file, lambda data: decode(data, reading), model)


def _checked(file: Path, work: Callable[[bytes], T], model: Model | None) -> T:
    from ganzoo.data.images import Survey, Unreadable
    from ganzoo.model.translation import check_size

    try:
        found = work(file.read_bytes())
        height, width = found.size if isinstance(found, Survey) else found.size[::-1]  # type: ignore[attr-defined]
        if model is not None:
            check_size(model.architecture, height, width)
    except OSError as error:
        raise GanzooError(f"{file} cannot be read ({error.strerror}).") from error
    except Unreadable as error:
        raise GanzooError(f"{file} {error}.") from error
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    return found


def with_alpha(result: Image.Image, picture: Image.Image, file: Path) -> Image.Image:
    """A translation with its image's transparency, where there is some and the format of the file can hold it."""
    if not has_alpha(picture) or has_alpha(result) or file.suffix.lower() not in _TRANSPARENT:
        return result
    kept = result.convert("RGBA")
    kept.putalpha(picture.convert("RGBA").getchannel("A").resize(result.size))
    return kept


def has_alpha(picture: Image.Image) -> bool:
    from ganzoo.data import images

    return images.has_alpha(picture)


def write(picture: Image.Image, file: Path) -> None:
    """Saves an image in the format of its name. Raises: GanzooError."""
    from ganzoo.pictures.framed import PNG

    jpeg = file.suffix.lower() in (".jpg", ".jpeg", ".jfif")
    if picture.mode == "RGBA" and jpeg:
        picture = picture.convert("RGB")
    with written(file, "choose another folder with -o") as part:
        picture.save(part, **({"quality": 95} if jpeg else PNG if part.suffix.lower() == ".png" else {}))
