"""What makes a sheet fit to be shown: enlarged pixels, names of rows and columns, a caption, notes in the file."""

from __future__ import annotations

import base64
import html
import importlib.util
import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ganzoo.errors import UsageError

SIDE = 128  # pixels to which an image on a sheet is enlarged, at the most and in whole steps
LARGEST = 2048  # pixels of a sheet's longer side that enlarging does not exceed
COLUMN = 640  # pixels of a picture in a notebook, at the most
PAPER, INK, FAINT = "white", (40, 40, 40), (105, 105, 105)
PNG: dict[str, Any] = {"compress_type": zlib.Z_RLE}  # as small as Pillow's usual search, in a third of its time
SHEETS = (".png", ".jpg", ".jpeg", ".webp")  # what a sheet can be written as


def framed(
    picture: Image.Image,
    caption: str = "",
    rows: Sequence[str] = (),
    heads: Sequence[str] = (),
    side: int = 0,
    scale: int | None = None,
) -> Image.Image:
    """A sheet, enlarged, with its rows' names at the left, its columns' above, and a caption below.

    Args:
        rows, heads: names of the rows and columns, which divide the sheet evenly; "" for none.
        side: pixels of an image on it, by which it is enlarged; 0: it is no grid of images and stays as large as it is.
        scale: how many times it is enlarged, in place of what its images' side says.
    Raises: UsageError when the scale is less than 1 or makes the sheet too large for memory.
    """
    picture = _enlarged(picture, side, scale)
    names = _font(max(12, min(20, picture.width // 45, *([picture.height // len(rows) // 2] if rows else []))))
    small = _font(max(11, min(18, picture.width // 55)))
    left = max((round(names.getlength(name)) for name in rows), default=-10) + 10 if any(rows) else 0
    above = round(names.size * 1.6) if any(heads) else 0
    lines = _wrapped(caption, small, left + picture.width - 8) if caption else []
    below = round(small.size * (1.4 * len(lines) + 0.5)) if lines else 0
    if not (left or above or below):
        return picture
    whole = Image.new(picture.mode, (left + picture.width, above + picture.height + below), PAPER)
    whole.paste(picture, (left, above))
    pen = ImageDraw.Draw(whole)
    ink, faint = (_colour(each, picture.mode) for each in (INK, FAINT))
    for number, name in enumerate(rows):
        pen.text((left - 6, above + picture.height * (number + 0.5) / len(rows)), name, ink, names, "rm")
    for number, name in enumerate(heads):
        pen.text((left + picture.width * (number + 0.5) / len(heads), above / 2), name, ink, names, "mm")
    for number, line in enumerate(lines):
        pen.text((4, above + picture.height + small.size * (0.2 + 1.4 * number)), line, faint, small, "la")
    return whole


def save_sheet(picture: Image.Image, file: Path, notes: Mapping[str, str] | None = None) -> None:
    """Writes a sheet as its file's ending says, with notes as text chunks of a PNG or the comment of a JPEG."""
    ending, notes = file.suffix.lower(), notes or {}
    if ending == ".png":
        chunks = PngInfo()
        for name, text in notes.items():
            chunks.add_text(name, text) if text.isascii() else chunks.add_itxt(name, text)
        picture.save(file, pnginfo=chunks, **PNG)
        return
    flat = picture
    if picture.mode == "RGBA" and ending != ".webp":
        flat = Image.new("RGB", picture.size, PAPER)
        flat.paste(picture, mask=picture.getchannel("A"))
    if ending == ".webp":
        flat.save(file, lossless=True)
    else:
        flat.save(file, quality=95, comment="\n".join(f"{name}: {text}" for name, text in notes.items()))


def as_html(file: Path) -> str:
    """A picture's file as an element of HTML that holds it, no wider than a notebook's column."""
    with Image.open(file) as picture:
        small = picture.convert("RGB")
    small.thumbnail((COLUMN, 2 * COLUMN))
    held = io.BytesIO()
    small.save(held, "webp", quality=85)
    data = base64.b64encode(held.getvalue()).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="{html.escape(file.name)}">'


def _enlarged(picture: Image.Image, side: int, scale: int | None) -> Image.Image:
    times = scale
    if times is None:
        times = max(1, min(SIDE // side, LARGEST // max(picture.size))) if side else 1
    if times < 1:
        raise UsageError(f"A sheet is enlarged 1 time or more often, not {times}.")
    if times * max(picture.size) > 32_000:
        raise UsageError(f"A sheet of {times * picture.width:,}×{times * picture.height:,} pixels is too large.")
    if times == 1:
        return picture
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _font(size: int) -> Any:
    """The letters of matplotlib's own font, which has those of most European languages and Vietnamese."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(str(spec.origin)).parent if spec else Path()
    file = folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(file), size) if file.exists() else ImageFont.load_default(size)


def _wrapped(text: str, font: Any, width: int) -> list[str]:
    """The text in lines of so many pixels at the most, divided between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _colour(colour: tuple[int, int, int], mode: str) -> Any:
    return colour[0] if mode == "L" else colour
