"""Tensors to pictures and back, and grids of them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image
from torch import Tensor

from ganzoo.catalogue.modalities import make_modality
from ganzoo.data.images import PLAIN, Reading, Unreadable, decode, render, with_8_bits
from ganzoo.errors import UsageError
from ganzoo.pictures.framed import framed


def to_bytes(images: Tensor) -> Tensor:
    """Images [N, C, H, W] in [-1, 1] (clamped) -> uint8 [N, H, W, C]."""
    scaled = images.detach().float().cpu().clamp(-1, 1).add_(1).mul_(127.5).round_()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def to_picture(image: Tensor) -> Image.Image:
    """One image [C, H, W] in [-1, 1] as a PIL image: grey, RGB or RGBA."""
    array = to_bytes(image[None])[0].numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def from_picture(picture: Image.Image, channels: int, reading: Reading = PLAIN) -> Tensor:
    """A PIL image as [1, C, H, W] in [-1, 1]; what is transparent is laid on white unless C is 4.

    Args:
        reading: how it is read, where it has more than 8 bits.
    Raises: UsageError when its colours cannot be converted.
    """
    try:
        pixels = render(with_8_bits(picture, reading), (picture.height, picture.width), channels, "crop")
    except Unreadable as error:
        raise UsageError(f"An image {error}.") from error
    return _from_bytes(pixels)[None]


def _from_bytes(pixels: numpy.ndarray[Any, Any]) -> Tensor:
    """uint8 [H, W, C] -> [C, H, W] in [-1, 1]."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div(127.5).sub(1)


def read_picture(file: str | os.PathLike[str], shape: tuple[int, ...], reading: Reading = PLAIN) -> Tensor:
    """An image file as [C, H, W] in [-1, 1] of this shape: scaled to cover it, the middle cut out.

    Raises: UsageError when it cannot be read, or when the shape is no image's.
    """
    if len(shape) != 3:
        raise UsageError("The model makes no images; there is nothing to compare an image with.")
    try:
        pixels = render(decode(Path(file).read_bytes(), reading), shape[1:], shape[0], "crop")
    except OSError as error:
        raise UsageError(f"The image {file} cannot be read ({error.strerror or error}).") from error
    except Unreadable as error:
        raise UsageError(f"{file} {error}; give another image.") from error
    return _from_bytes(pixels)


def sheet(
    items: Tensor,
    columns: int | None = None,
    gap: int = 2,
    scale: int | None = None,
    caption: str = "",
    rows: Sequence[str] = (),
    heads: Sequence[str] = (),
) -> Image.Image:
    """One picture of many: a grid of images [N, C, H, W] in [-1, 1], or a plot of vectors [N, D].

    Args:
        gap: pixels between images, before they are enlarged.
        scale: how many times images are enlarged; None: so that each has up to 128 pixels a side.
        caption, rows, heads: a line below; names at the left of rows and above columns.
    Raises: UsageError when the scale is less than 1.
    """
    picture = make_modality("point").sheet(items) if items.dim() == 2 else grid(items, columns, gap)
    return framed(picture, caption, rows, heads, max(items.shape[2:], default=0), scale)


def grid(images: Tensor, columns: int | None = None, gap: int = 2) -> Image.Image:
    """Images [N, C, H, W] in [-1, 1] in rows, `gap` pixels apart; about square unless `columns` says."""
    pictures = [to_picture(image) for image in images]
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    width, height = pictures[0].size
    size = (columns * (width + gap) + gap, rows * (height + gap) + gap)
    whole = Image.new(pictures[0].mode, size, "white")
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        whole.paste(picture, (gap + column * (width + gap), gap + row * (height + gap)))
    return whole
