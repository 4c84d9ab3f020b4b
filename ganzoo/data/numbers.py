"""Pictures of numbers that Pillow has no mode for: TIFF of 16, 32 and 64 bits, by tifffile, and PFM in colour."""

from __future__ import annotations

import importlib
import io
import logging
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from ganzoo.contract.modality import Unreadable

BITS, PLANES, _TURN = 258, 284, 274  # tags of a TIFF
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def stored_numbers(data: bytes, page: int, most: int) -> tuple[npt.NDArray[Any], int, int]:
    """Pixels [H, W] or [H, W, 3], the EXIF turn, and the number of pages.

    Raises:
        Unreadable: it is a TIFF, and of a kind that cannot be read, or has more than `most` pixels. Files of other
            kinds, and damaged ones, raise something else.
    """
    if data[:2] == b"PF":
        return _colour_pfm(data), 1, 1
    if data[:4] not in _TIFF:
        raise ValueError("this is no TIFF")
    try:
        tifffile = importlib.import_module("tifffile")
    except ImportError as error:
        raise Unreadable(
            "is a TIFF that Pillow cannot read; where it is whole, a package does: pip install 'ganzoo[pictures]'"
        ) from error
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is wrong with a file is said here, or is no matter
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        picture = file.pages[page]
        if picture.imagewidth * picture.imagelength > most:
            raise too_large(picture.imagewidth * picture.imagelength, most)
        if picture.samplesperpixel not in (1, 3):
            raise Unreadable(f"is a TIFF of {picture.samplesperpixel} channels; write pictures of 1 or 3")
        values = picture.asarray(maxworkers=1)  # files are read in threads of their own
        if values.ndim == 3 and picture.planarconfig == 2:
            values = np.moveaxis(values, 0, -1)
        turn = picture.tags.get(_TURN)
        return values, int(turn.value) if turn else 1, len(file.pages)


def _colour_pfm(data: bytes) -> npt.NDArray[Any]:
    """Rows from the bottom up, in the byte order that the sign of the scale says."""
    head = re.match(rb"PF\s+(\d+)\s+(\d+)\s+(\S+)\s", data)
    assert head is not None
    width, height, scale = int(head[1]), int(head[2]), float(head[3])
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", 3 * width * height, head.end())
    return values.reshape(height, width, 3)[::-1]


def too_large(pixels: int, most: int) -> Unreadable:
    """Why a picture of so many pixels is not read."""
    return Unreadable(f"has {pixels:,} pixels, more than the {most:,} that are read; --max-pixels {pixels} reads it")
