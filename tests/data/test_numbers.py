"""Pictures of numbers that Pillow has no mode for: each comes out with the values that were stored."""

from __future__ import annotations

import struct
import zlib
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ganzoo.data.images import Reading, Unreadable, decode, survey
from ganzoo.data.numbers import stored_numbers

Pixels = npt.NDArray[np.generic]
RANDOM = np.random.default_rng(0).random((6, 8, 3))


def tiff(pixels: Pixels, order: str = "<", apart: bool = False, packed: bool = False, **tags: int) -> bytes:
    """A TIFF file with a strip for each two rows, channels together or `apart`."""
    height, width, channels = pixels.shape
    planes = [pixels[..., place] for place in range(channels)] if apart else [pixels]
    strips = [plane[row : row + 2] for plane in planes for row in range(0, height, 2)]
    blocks = [strip.astype(pixels.dtype.newbyteorder(order)).tobytes() for strip in strips]
    blocks = [zlib.compress(block) for block in blocks] if packed else blocks
    kind, bits = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind], 8 * pixels.dtype.itemsize
    entries = {
        256: [width], 257: [height], 258: [bits] * channels, 259: [8 if packed else 1], 262: [2 if channels > 1 else 1],
        277: [channels], 278: [2], 284: [1 + apart], 339: [kind] * channels,
        273: [8 + sum(map(len, blocks[:place])) for place in range(len(blocks))], 279: list(map(len, blocks)),
    } | {int(tag[1:]): [value] for tag, value in tags.items()}  # fmt: skip
    start = 8 + sum(map(len, blocks))
    behind, lines, lists = start + 2 + 12 * len(entries) + 4, b"", b""
    for tag, values in sorted(entries.items()):
        code, form = (3, "H") if tag in (258, 339) else (4, "I")
        data = struct.pack(f"{order}{len(values)}{form}", *values)
        if len(data) > 4:
            data, lists = struct.pack(f"{order}I", behind + len(lists)), lists + data
        lines += struct.pack(f"{order}HHI", tag, code, len(values)) + data.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    return head + b"".join(blocks) + struct.pack(f"{order}H", len(entries)) + lines + bytes(4) + lists


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u2", "i2", "u4", "i4", "i1", "u8"])
def test_tiff_of_any_number(dtype: str) -> None:
    for order, apart, packed, channels in product("<>", (False, True), (False, True), (1, 3)):
        pixels = (100 * RANDOM[..., :channels]).astype(dtype)
        found, _, pages = stored_numbers(tiff(pixels, order, apart, packed), 0, 10**6)
        assert np.array_equal(found, pixels if channels > 1 else pixels[..., 0])
        assert pages == 1


@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", "f8"])
def test_tiff_of_differences(dtype: str) -> None:
    pixels = (100 * RANDOM).astype(dtype)
    for order in "<>":
        if pixels.dtype.kind == "f":
            size = pixels.itemsize
            split = pixels.astype(f">f{size}").view(np.uint8).reshape(6, -1, size).transpose(0, 2, 1).reshape(6, -1, 3)
            stored = np.diff(split, axis=1, prepend=np.zeros_like(split[:, :1])).reshape(6, -1)
            stored = stored.view(f"{order}f{size}").reshape(pixels.shape)
            predictor = 3
        else:
            stored = np.diff(pixels, axis=1, prepend=np.zeros_like(pixels[:, :1])).astype(dtype)
            predictor = 2
        found, _, _ = stored_numbers(tiff(stored, order, t317=predictor), 0, 10**6)
        assert np.array_equal(found, pixels)


def test_halves_of_16_bits_are_not_learned_from() -> None:
    """Pillow opens channels of 16 bits that lie apart, and shows bytes of one number as two pixels."""
    ramp = np.linspace(0, 65535, 32).astype(np.uint16)[None, :, None].repeat(8, 0).repeat(3, 2)
    image = decode(tiff(ramp, apart=True))
    assert np.array_equal(np.asarray(image), np.round(ramp / 257).astype(np.uint8))


def test_a_turned_tiff_of_fractions() -> None:
    pixels = np.linspace(0, 1, 48).reshape(6, 8, 1)
    image = decode(tiff(pixels, t274=6), Reading((0, 1)))
    assert np.array_equal(np.asarray(image), np.rot90(np.round(pixels[..., 0] * 255).astype(np.uint8), -1))


@pytest.mark.parametrize("head", [b"PF\n8 6\n-1.0\n", b"PF 8 6 -1\n", b"PF\n8 6\n1\n"])
def test_pfm_in_colour(head: bytes) -> None:
    data = head + RANDOM[::-1].astype("<f4" if b"-" in head else ">f4").tobytes()
    assert np.array_equal(np.asarray(decode(data, Reading((0, 1)))), np.floor(RANDOM * 255 + 0.5).astype(np.uint8))
    seen = survey(data)
    assert (seen.size, seen.grey, seen.span.wide, seen.span.whole) == ((6, 8), False, True, False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tiff(np.zeros((6, 8, 5), np.uint16)), "is a TIFF of 5 channels; write pictures of 1 or 3"),
        (tiff(np.zeros((6, 8, 3)), t317=2, t322=8), "is a TIFF of an unusual kind"),
        (tiff(np.zeros((6, 8, 1)))[:200], "is not a readable image, or is cut short"),
        (b"PF\n8 6\n-1.0\n" + bytes(99), "is not a readable image, or is cut short"),
        (b"II*\0\xff\xff\xff\x7f" + bytes(99), "is not a readable image, or is cut short"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        decode(data)


def test_the_largest_picture_is_looked_at_before_memory_is_taken() -> None:
    lie = tiff(np.zeros((6, 8, 1)), t256=100_000, t257=100_000)
    with pytest.raises(Unreadable, match=r"has 10,000,000,000 pixels, .*--max-pixels"):
        decode(lie)
    assert Image.MAX_IMAGE_PIXELS
