"""Pictures of numbers that Pillow has no mode for: each comes out with the values that were stored."""

from __future__ import annotations

import io
import sys
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ganzoo.data.images import Reading, Unreadable, decode, survey
from ganzoo.data.numbers import stored_numbers

Pixels = npt.NDArray[np.generic]
RANDOM = np.random.default_rng(0).random((6, 8, 3))


def tiff(pixels: Pixels, order: str = "<", **how: Any) -> bytes:
    """A TIFF file of pixels [H, W, C], its numbers from the first byte or from the last."""
    tifffile = pytest.importorskip("tifffile", reason="the extra pictures is not installed")
    separate = how.get("planarconfig") == "separate"
    file = io.BytesIO()
    tifffile.imwrite(
        file, pixels.transpose(2, 0, 1) if separate else pixels.squeeze(), byteorder=order,
        photometric="rgb" if pixels.shape[2] == 3 else "minisblack", metadata=None, rowsperstrip=2, **how,
    )  # fmt: skip
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u2", "i2", "u4", "i4", "i1", "u8"])
def test_tiff_of_any_number(dtype: str) -> None:
    for order, planes, packed, channels in product("<>", ("contig", "separate"), (None, "deflate"), (1, 3)):
        pixels = (100 * RANDOM[..., :channels]).astype(dtype)
        how = {"planarconfig": planes} if channels > 1 else {}
        found, _, pages = stored_numbers(tiff(pixels, order, compression=packed, **how), 0, 10**6)
        assert np.array_equal(found, pixels.squeeze())
        assert pages == 1


def test_halves_of_16_bits_are_not_learned_from() -> None:
    """Pillow opens channels of 16 bits that lie apart, and shows bytes of one number as two pixels."""
    ramp = np.linspace(0, 65535, 32).astype(np.uint16)[None, :, None].repeat(8, 0).repeat(3, 2)
    image = decode(tiff(ramp, planarconfig="separate"))
    assert np.array_equal(np.asarray(image), np.round(ramp / 257).astype(np.uint8))


def test_a_turned_tiff_of_fractions() -> None:
    pixels = np.linspace(0, 1, 48).reshape(6, 8, 1)
    image = decode(tiff(pixels, extratags=[(274, 3, 1, 6, True)]), Reading((0, 1)))
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
        (b"PF\n8 6\n-1.0\n" + bytes(99), "is not a readable image, or is cut short"),
        (b"II*\0\xff\xff\xff\x7f" + bytes(99), "is not a readable image, or is cut short"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, message: str) -> None:
    pytest.importorskip("tifffile", reason="the extra pictures is not installed")
    with pytest.raises(Unreadable, match=message):
        decode(data)


def test_a_tiff_cut_short_or_of_many_channels_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unreadable, match="is a TIFF of 5 channels; write pictures of 1 or 3"):
        decode(tiff(np.zeros((6, 8, 5), np.float64), planarconfig="contig"))
    with pytest.raises(Unreadable, match="is not a readable image, or is cut short"):
        decode(tiff(np.zeros((64, 64, 1)))[:900])
    assert not caplog.records


def test_the_largest_picture_is_looked_at_before_memory_is_taken() -> None:
    with pytest.raises(Unreadable, match=r"has 4,096 pixels, .*--max-pixels"):
        decode(tiff(np.zeros((64, 64, 1))), Reading(max_pixels=4095))
    assert Image.MAX_IMAGE_PIXELS


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(Unreadable, match=r"is a TIFF that Pillow cannot read; .*: pip install 'ganzoo\[pictures\]'"):
        decode(b"II*\0" + bytes(99))
