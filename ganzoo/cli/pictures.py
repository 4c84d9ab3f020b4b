"""Pictures that only commands draw: one in the terminal, and pairs side by side."""

from __future__ import annotations

import numpy
from PIL import Image, ImageOps
from rich.color import Color
from rich.style import Style
from rich.text import Text

SIDE = 256  # pixels of the longer side of an image on a sheet of pairs, at the most
GAP = 4  # pixels between its images


def in_terminal(picture: Image.Image, columns: int = 80) -> Text:
    """The picture as rich text, two pixels a character (upper half block), at most so many columns wide."""
    width = min(columns, picture.width)
    height = max(2, round(picture.height * width / picture.width / 2) * 2)
    pixels = numpy.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)).tolist()
    text = Text(no_wrap=True)
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
        text.append("\n")
    return text


def side_by_side(pairs: list[tuple[Image.Image, Image.Image]]) -> Image.Image:
    """A sheet of images and their translations, one pair a row, the large ones scaled down."""
    rows = [[_small(image) for image in pair] for pair in pairs]
    left = max(row[0].width for row in rows)
    width = left + max(row[1].width for row in rows) + 3 * GAP
    height = sum(max(image.height for image in row) + GAP for row in rows) + GAP
    mode = "L" if all(image.mode == "L" for row in rows for image in row) else "RGB"
    whole, top = Image.new(mode, (width, height), "white"), GAP
    for before, after in rows:
        whole.paste(before, (GAP, top))
        whole.paste(after, (left + 2 * GAP, top))
        top += max(before.height, after.height) + GAP
    return whole


def _small(picture: Image.Image) -> Image.Image:
    return ImageOps.contain(picture, (SIDE, SIDE)) if max(picture.size) > SIDE else picture
