"""Pictures of numbers that Pillow has no mode for: TIFF of 16, 32 and 64 bits, and PFM in colour."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import TiffImagePlugin

from ganzoo.contract.modality import Unreadable

_WIDTH, _HEIGHT, BITS, _MEANING, _TURN, _SAMPLES, PLANES, _PREDICTOR = 256, 257, 258, 262, 274, 277, 284, 317
_TILE_WIDTH, _FORMAT = 322, 339
_PLACES = {273, 279, 324, 325}  # where strips or tiles begin, and how long they are
_LAYOUT = {259, 278, 323, *_PLACES}  # compression and sizes, too
_KINDS = {1: "u", 2: "i", 3: "f"}
_CODES = {1: "B", 3: "H", 4: "I"}  # of the whole numbers that a tag may have
_Tags = Mapping[int, Sequence[int]]


def stored_numbers(data: bytes, page: int, most: int) -> tuple[npt.NDArray[Any], int, int]:
    """Pixels [H, W] or [H, W, 3], the EXIF turn, and the number of pages.

    Raises:
        Unreadable: it is a TIFF, and of a kind that cannot be read, or has more than `most` pixels. Files of other
            kinds, and damaged ones, raise something else.
    """
    if data[:2] == b"PF":
        return _colour_pfm(data), 1, 1
    order = "<" if data[:2] == b"II" else ">"
    pages = _pages(data, order)
    tags = pages[page]
    width, height, channels = tags[_WIDTH][0], tags[_HEIGHT][0], tags.get(_SAMPLES, [1])[0]
    if width * height > most:
        raise too_large(width * height, most)
    if channels not in (1, 3):
        raise Unreadable(f"is a TIFF of {channels} channels; write pictures of 1 or 3")
    planes = channels if tags.get(PLANES, [1])[0] == 2 else 1
    stored = [_plane(data, order, _of_plane(tags, plane, planes), channels // planes) for plane in range(planes)]
    values = np.concatenate(stored, -1)
    return values[..., 0] if channels == 1 else values, tags.get(_TURN, [1])[0], len(pages)


def _plane(data: bytes, order: str, tags: _Tags, channels: int) -> npt.NDArray[Any]:
    """Those channels of a page that are kept together, [H, W, channels]."""
    width, height = tags[_WIDTH][0], tags[_HEIGHT][0]
    bits, kind, predictor = {*tags[BITS]}, _KINDS.get(tags.get(_FORMAT, [1])[0]), tags.get(_PREDICTOR, [1])[0]
    if kind is None or len(bits) > 1 or not bits <= {8, 16, 32, 64} or (predictor != 1 and _TILE_WIDTH in tags):
        raise Unreadable("is a TIFF of an unusual kind; convert it to one of 8, 16 or 32 bits, in strips")
    size = bits.pop() // 8
    stored = _as_bytes(data, order, tags, channels * size)
    if predictor == 3:  # differences of bytes, the first bytes of all numbers in a row before the second ones
        summed = np.cumsum(stored.reshape(height, -1, channels), 1, np.uint8).reshape(height, size, -1)
        stored, order = np.ascontiguousarray(summed.transpose(0, 2, 1)), ">"
    values = stored.view(f"{order}{kind}{size}").reshape(height, width, channels)
    return np.cumsum(values, 1, values.dtype) if predictor == 2 else values


def _of_plane(tags: _Tags, plane: int, planes: int) -> _Tags:
    """The tags of a page with the strips or tiles of one plane alone."""
    mine = {tag: tags[tag][plane * len(tags[tag]) // planes :][: len(tags[tag]) // planes] for tag in _PLACES & {*tags}}
    return {**tags, **mine}


def _colour_pfm(data: bytes) -> npt.NDArray[Any]:
    """Rows from the bottom up, in the byte order that the sign of the scale says."""
    head = re.match(rb"PF\s+(\d+)\s+(\d+)\s+(\S+)\s", data)
    assert head is not None
    width, height, scale = int(head[1]), int(head[2]), float(head[3])
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", 3 * width * height, head.end())
    return values.reshape(height, width, 3)[::-1]


def _pages(data: bytes, order: str) -> list[_Tags]:
    """The tags of each page of a TIFF that are whole numbers."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        raise ValueError("this is no TIFF")
    found: list[dict[int, Sequence[int]]] = []
    (place,) = struct.unpack_from(f"{order}I", data, 4)
    while place and len(found) < 10_000:
        (count,) = struct.unpack_from(f"{order}H", data, place)
        found.append({})
        for entry in range(place + 2, place + 2 + 12 * count, 12):
            tag, code, many = struct.unpack_from(f"{order}HHI", data, entry)
            if code in _CODES:
                form = f"{order}{many}{_CODES[code]}"
                inline = struct.calcsize(form) <= 4
                at = entry + 8 if inline else struct.unpack_from(f"{order}I", data, entry + 8)[0]
                found[-1][tag] = struct.unpack_from(form, data, at)
        (place,) = struct.unpack_from(f"{order}I", data, place + 2 + 12 * count)
    return [*found]


def _as_bytes(data: bytes, order: str, tags: _Tags, pixel: int) -> npt.NDArray[np.uint8]:
    """The bytes of a page [H, W * pixel], which Pillow unpacks as a grey picture so much wider."""
    wider = {_WIDTH: [pixel * tags[_WIDTH][0]], _HEIGHT: tags[_HEIGHT], BITS: [8], _MEANING: [1]}
    if _TILE_WIDTH in tags:
        wider[_TILE_WIDTH] = [pixel * tags[_TILE_WIDTH][0]]
    entries = sorted((wider | {tag: tags[tag] for tag in _LAYOUT if tag in tags}).items())
    behind = len(data) + 2 + 12 * len(entries) + 4
    lines, lists = b"", b""
    for tag, values in entries:
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            lists, packed = lists + packed, struct.pack(f"{order}I", behind + len(lists))
        lines += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    whole = data[:4] + struct.pack(f"{order}I", len(data)) + data[8:]
    whole += struct.pack(f"{order}H", len(entries)) + lines + bytes(4) + lists
    return np.asarray(TiffImagePlugin.TiffImageFile(io.BytesIO(whole)))


def too_large(pixels: int, most: int) -> Unreadable:
    """Why a picture of so many pixels is not read."""
    return Unreadable(f"has {pixels:,} pixels, more than the {most:,} that are read; --max-pixels {pixels} reads it")
