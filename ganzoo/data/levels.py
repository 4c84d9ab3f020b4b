"""Pictures of more than 8 bits: the values that are stored, and which of them become black and white."""

from __future__ import annotations

import io
import re
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from ganzoo.contract.modality import Unreadable
from ganzoo.errors import UsageError

Levels = tuple[float, float]  # the stored values that become black and white
Values = npt.NDArray[Any]

BYTES: Levels = (0, 255)
_FULL = 0.98  # share of a depth's values that a set spans when it is taken to use the whole of that depth
_FAINT = 1 / 16  # a set of fractions that stays below this share of 1 means other numbers by them
_DARK = 0.04  # mean, of 1, below which pictures are nearly black; nearly white above the rest of it
_WIDE = ("I", "F")  # Pillow's modes of more than 8 bits begin so
_SWAPPED = {"B": "L", "L": "B"}
_SEVERAL = re.compile(r"(RGB|RGBA|RGBX|RGBa);16([BLN])")  # Pillow's raw modes of 16 bits in several channels
_GREY_ALPHA = "LA;16B"
_SAMPLE_FORMAT, _UNSIGNED, _SIGNED = 339, 1, 2  # a TIFF file's tag; Pillow takes 8 bits for unsigned, 32 for signed
_NATIVE = "B" if sys.byteorder == "big" else "L"


@dataclass(frozen=True)
class Span:
    """The values stored in a picture, or in several.

    Attributes:
        low, high: the least and the largest.
        mean: of all of them.
        most: nearly all, 99 %, are no larger.
        wide: whether a channel has more than 8 bits.
        whole: whether they are whole numbers.
        count: of the pictures.
    """

    low: float
    high: float
    mean: float
    most: float
    wide: bool
    whole: bool = True
    count: int = 1


def span_of(values: Values, wide: bool) -> Span:
    """The span of a picture's pixels, or of an array of pictures.

    Raises:
        Unreadable: some are infinite or no numbers.
    """
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Unreadable("has pixels that are no finite numbers")
    few = values.reshape(-1)[:: max(1, values.size // 65_536)].astype(np.float64)
    whole = bool((few == np.floor(few)).all())
    return Span(low, high, float(values.mean(dtype=np.float64)), float(np.percentile(few, 99)), wide, whole)


def joined(spans: Iterable[Span]) -> Span | None:
    """The span of a whole set: of its pictures of more than 8 bits where it has some, else of all; None of none."""
    spans = list(spans)
    wide = [span for span in spans if span.wide]
    spans = wide or spans
    if not spans:
        return None
    count = sum(span.count for span in spans)
    return Span(
        low=min(span.low for span in spans),
        high=max(span.high for span in spans),
        mean=sum(span.mean * span.count for span in spans) / count,
        most=max(span.most for span in spans),
        wide=bool(wide),
        whole=all(span.whole for span in spans),
        count=count,
    )


def own_levels(span: Span) -> Levels:
    """The levels of a set that was given none: the least and largest value that it has.

    Bytes keep the meaning that they have everywhere, unless they are 0 and 1 alone, as of masks; so do fractions from
    0 or -1 to 1, unless a set uses less than a sixteenth of them, and from -0.5 to 0.5 where it uses all. A set that
    all but fills 8, 9, … or 32 bits is taken to use the whole of them.
    """
    low, high = span.low, span.high
    if span.whole and low >= 0 and high <= BYTES[1] and not span.wide:
        return (0, 1) if (low, high) == (0, 1) else BYTES
    if not span.whole and low >= -1 and high <= 1:
        bottom = -1.0 if low < 0 else 0.0
        if low < 0 and high <= 0.5 and min(-low, high) >= _FULL / 2:
            return (-0.5, 0.5)
        return (bottom, 1.0) if max(-low, high) > _FAINT else (low, high)
    for bits in (8, *range(9, 33)):
        top = 2**bits - 1
        if low >= 0 and _FULL * top <= high - low and high <= top:
            return (0, top)
    return (low, high) if high > low else (min(low, 0), max(high, 1))


def parse_levels(text: str) -> Levels | None:
    """``"0-4095"``, ``"-1000:3000"``; None for ``"auto"``.

    Raises:
        UsageError: it is none of these.
    """
    number = r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?"
    match = re.fullmatch(rf"({number})\s*[:-]\s*({number})", text.strip())
    if text == "auto":
        return None
    if match is None or not float(match[1]) < float(match[2]) < float("inf"):
        raise UsageError(
            f"--levels {text} is not understood; give the stored values that become black and white, such as "
            "--levels 0-4095, or --levels=-1000:3000, or auto."
        )
    return float(match[1]), float(match[2])


def levels_text(levels: Levels) -> str:
    """As `parse_levels` reads it."""
    low, high = (f"{level:.0f}" if level == int(level) else f"{level:.6g}" for level in levels)
    return f"{low}:{high}" if levels[0] < 0 else f"{low}-{high}"


def advice(span: Span, levels: Levels) -> str:
    """What to type where a set of these values comes out nearly black or white; "" where it does not."""
    share = (span.mean - levels[0]) / (levels[1] - levels[0])
    if _DARK <= share <= 1 - _DARK or not span.low < span.most:
        return ""
    return (
        f"These pictures are nearly {'black' if share < _DARK else 'white'}, {100 * share:.1f} % of white on average, "
        f"since 99 % of their values lie between {span.low:g} and {span.most:g}; for more contrast add them again with "
        f"--levels {levels_text((span.low, span.most))}."
    )


def to_bytes(values: Values, levels: Levels) -> npt.NDArray[np.uint8]:
    """Pixels of any type as bytes: `levels` become 0 and 255, and what lies beyond them too."""
    if levels == BYTES and values.dtype == np.uint8:
        return values
    low, high = levels
    scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.clip(np.floor(scaled + 0.5), 0, 255).astype(np.uint8)


def wide_values(image: Image.Image, data: bytes | None) -> Values | None:
    """Pixels [H, W] or [H, W, C] of an opened picture of more than 8 bits a channel; None when it has no more.

    C is 2 for grey and 4 for colours with transparency, the last. Pillow keeps the upper 8 bits of each 16 where there
    are several channels. Read again with the bytes of each number swapped, the file gives the lower 8.

    Args:
        data: the file's bytes; None where there is no file.
    """
    said = getattr(image, "tag_v2", {}).get(_SAMPLE_FORMAT, (1,))[0] if image.format == "TIFF" else None
    if image.mode == "L" and said == _SIGNED:
        return np.asarray(image).view(np.int8)
    if image.mode.startswith(_WIDE):
        stored = np.asarray(image)
        if image.mode == "I" and said == _UNSIGNED:
            stored = stored.view(np.uint32)
        return _with_key(stored, image.info.get("transparency"))
    if data is None or not isinstance(image, ImageFile.ImageFile) or image.format not in ("PNG", "TIFF"):
        return None
    raws = [str(tile.args[0] if isinstance(tile.args, tuple) else tile.args) for tile in image.tile]
    if raws and {*raws} == {_GREY_ALPHA}:
        four = np.asarray(Image.open(io.BytesIO(_as_four_bytes(data)), formats=["PNG"])).astype(np.uint16)
        return four[..., 0::2] * 256 + four[..., 1::2]
    matches = [_SEVERAL.fullmatch(raw.replace("16N", f"16{_NATIVE}")) for raw in raws]
    if not raws or None in matches:
        return None
    kind, order = matches[0].groups()  # type: ignore[union-attr]
    mode = "RGBA" if kind == "RGBa" else kind  # as stored: Pillow would divide by the transparency, half by half
    upper, lower = _read_as(data, image, f"{mode};16{order}"), _read_as(data, image, f"{mode};16{_SWAPPED[order]}")
    values: Values = upper.astype(np.uint16) * 256 + lower
    if kind == "RGBa":
        alpha = np.maximum(values[..., 3:], 1)
        values[..., :3] = np.minimum(np.round(values[..., :3] * (65535 / alpha)), 65535)
    return _with_key(values, image.info.get("transparency"))


def _read_as(data: bytes, image: ImageFile.ImageFile, raw: str) -> Values:
    """The present page of a file, its numbers taken for another of Pillow's raw modes."""
    again = Image.open(io.BytesIO(data), formats=[str(image.format)])
    again.seek(image.tell())
    assert isinstance(again, ImageFile.ImageFile)
    again.tile = [
        tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw) for tile in again.tile
    ]
    return np.asarray(again)


def _as_four_bytes(data: bytes) -> bytes:
    """A PNG file of 16 bits grey and transparency, said to be four channels of 8, which lie in the file alike."""
    header = data[12:24] + bytes([8, 6]) + data[26:29]
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


def _with_key(values: Values, key: object) -> Values:
    """Pixels with a channel of transparency where a PNG file says which stored value is transparent."""
    if not isinstance(key, int | tuple) or (values.ndim == 3) != isinstance(key, tuple) or values.shape[2:] == (4,):
        return values
    hidden = values == key if values.ndim == 2 else (values == np.array(key)).all(2)
    return np.dstack([values.astype(np.int64), np.where(hidden, 0, 65535)])
