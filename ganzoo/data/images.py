"""From a file's bytes to pixels of the size and channels that were asked."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ganzoo.contract.modality import Unreadable as Unreadable
from ganzoo.data.kinds import HEAD, formats, prepare
from ganzoo.data.levels import BYTES, Levels, Span, joined, own_levels, span_of, to_bytes, wide_values
from ganzoo.data.numbers import BITS, PLANES, stored_numbers, too_large

Fit = Literal["crop", "pad", "stretch"]
FITS: tuple[Fit, ...] = ("crop", "pad", "stretch")

# Lanczos is antialiased in Pillow and keeps the most detail when photographs shrink; StyleGAN's data tool uses it too.
FILTER = Image.Resampling.LANCZOS

# For all threads at once, and for good: what Pillow warns of is said in a sentence here, or is no matter.
warnings.filterwarnings("ignore", module="PIL")

_PILLOW_WARNS = Image.MAX_IMAGE_PIXELS or 0
MAX_PIXELS = 89_478_485  # a picture of a quarter of a gigabyte in colour, where Pillow would warn
MAX_UNPACKED = 1_000_000_000
HONEST_RATIO = 20  # to which images, and arrays of them, are hardly ever compressed

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_GROUNDS = {"L": "black", "RGB": "white", "RGBA": "#ffffff00"}
_GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"}
_ALPHA = {"RGBA", "LA", "PA", "RGBa", "La"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Reading:
    """How pictures are read from files.

    Attributes:
        levels: the stored values that become black and white, of pictures with more than 8 bits a channel; None for
            each picture's own, see `ganzoo.data.levels.own_levels`.
        of_bytes: whether they are those of pictures with 8 bits too, which else stay as they are.
        pages: "first" or "all" of the pages or frames of a file.
        max_pixels: in one picture; one that claims more is not decoded.
        max_unpacked: bytes that a compressed file may unpack to although it is far smaller itself.
        names: encoding of the names in a zip that do not say theirs; "" where they tell.
        page_counts: of files with more than one page, once they are known; read where all are wanted.
    """

    levels: Levels | None = None
    of_bytes: bool = False
    pages: str = "first"
    max_pixels: int = MAX_PIXELS
    max_unpacked: int = MAX_UNPACKED
    names: str = ""
    page_counts: Mapping[str, int] | None = None

    def most_unpacked(self, packed: int) -> int:
        """Bytes that a file of `packed` bytes may unpack to."""
        return max(self.max_unpacked, HONEST_RATIO * packed)

    def settled(self, spans: Iterable[Span]) -> Reading:
        """The same with levels for pictures of these values, all of one set."""
        span = joined(spans)
        if span is None:
            return self
        levels = self.levels or own_levels(span)
        return replace(self, levels=levels if span.wide or levels != BYTES else None, of_bytes=not span.wide)


@dataclass(frozen=True)
class Survey:
    """What a picture is: its size, (height, width), its colours, its values, and how many pages its file has.

    Attributes:
        empty: what there is in place of something to see, such as "of one colour"; else "".
    """

    size: tuple[int, int]
    grey: bool
    alpha: bool
    span: Span
    pages: int = 1
    empty: str = ""


PLAIN = Reading()


def with_8_bits(image: Image.Image, reading: Reading) -> Image.Image:
    """A picture that was opened elsewhere, as `decode` would give it."""
    wide = wide_values(image, None)
    if wide is not None:
        return _from_wide(wide, reading.levels)[0]
    return _with_levels(image, reading.levels) if reading.levels and reading.of_bytes else image


def decode(data: bytes, reading: Reading = PLAIN, page: int = 0) -> Image.Image:
    """The image in a file's bytes with 8 bits a channel, turned as its EXIF orientation says.

    Raises:
        Unreadable: it is no image, is cut short, has colours that cannot be converted, or claims more pixels than are
            read.
    """
    return _decoded(data, reading, page)[0]


def look(image: Image.Image) -> Survey:
    """What an image with 8 bits a channel is, that is no file's."""
    extremes = _extremes(image.convert("RGBA") if has_alpha(image) else image)
    hidden = has_alpha(image) and extremes[-1][1] == 0
    white = "wholly transparent, so white without --channels 4"
    empty = white if hidden else "of one colour" if all(low == high for low, high in extremes) else ""
    span = _span_of_bytes(image)
    return Survey((image.height, image.width), is_grey(image), has_alpha(image), span, empty=empty)


def survey(data: bytes, reading: Reading = PLAIN, page: int = 0) -> Survey:
    """What `decode` gives, and what the file has. Raises: Unreadable, as `decode` does."""
    image, span, pages = _decoded(data, reading, page)
    return replace(look(image), span=span, pages=pages)


def _decoded(data: bytes, reading: Reading, page: int) -> tuple[Image.Image, Span, int]:
    if _PILLOW_WARNS <= (Image.MAX_IMAGE_PIXELS or 0) < reading.max_pixels:
        Image.MAX_IMAGE_PIXELS = reading.max_pixels  # ours is what counts, checked below before anything is decoded
    missing = prepare(data[:HEAD])
    if missing:
        raise Unreadable(missing)
    try:
        opened, wide, orientation, pages = _opened(data, page, reading.max_pixels)
        if wide is not None:
            image, span = _from_wide(wide, reading.levels)
        else:
            assert opened is not None
            opened.load()
            span = _span_of_bytes(opened)
            image = _with_levels(opened, reading.levels) if reading.levels and reading.of_bytes else opened
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("claims more pixels than an honest image has (a decompression bomb?)") from error
    except MemoryError as error:
        raise Unreadable("needs more memory than there is") from error
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files
        raise Unreadable("is not a readable image, or is cut short") from error
    render(image.crop((0, 0, 1, 1)), (1, 1), 3, "crop")  # says so now when its colours cannot be converted
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image, span, pages


def _opened(data: bytes, page: int, most: int) -> tuple[Image.Image | None, npt.NDArray[Any] | None, int, int]:
    """A picture as Pillow opens it, its pixels where they have more than 8 bits, its EXIF turn and number of pages."""
    try:
        image = Image.open(io.BytesIO(data), formats=formats())
    except UnidentifiedImageError:
        return None, *stored_numbers(data, page, most)
    pages = int(getattr(image, "n_frames", 1))
    if page:
        image.seek(page)
    if image.width * image.height > most:
        raise too_large(image.width * image.height, most)
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and tags.get(PLANES) == 2 and max(tags.get(BITS, (1,))) > 8:  # Pillow takes half of each
        return None, *stored_numbers(data, page, most)
    return image, wide_values(image, data), _orientation(image), pages


def count_pages(data: bytes, most: int) -> int:
    """How many pages or frames a picture's file has; 1 where it cannot be told."""
    try:
        return _opened(data, 0, most)[3]
    except Exception:  # reading it says what is wrong
        return 1


def _from_wide(values: npt.NDArray[Any], levels: Levels | None) -> tuple[Image.Image, Span]:
    """A picture of more than 8 bits as one of 8, and what it held. Colours that nobody sees do not count."""
    if values.ndim == 2 or values.shape[2] == 3:
        span = span_of(values, wide=True)
        return Image.fromarray(to_bytes(values, levels or own_levels(span))), span
    colours, alpha = values[..., :-1], values[..., -1]
    seen = colours[alpha > 0]
    span = span_of(seen if seen.size else colours, wide=True)
    pixels = to_bytes(colours, levels or own_levels(span))
    return Image.fromarray(np.dstack([pixels, to_bytes(alpha, (0, 65535))])), span


def _span_of_bytes(image: Image.Image) -> Span:
    """What a picture of 8 bits or fewer holds, as far as levels go."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGB")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        return Span(*BYTES, mean=127.5, most=255, wide=False)
    pairs = _extremes(image)[: 1 if image.mode == "LA" else 3]
    low, high = min(pair[0] for pair in pairs), max(pair[1] for pair in pairs)
    return Span(low, high, mean=(low + high) / 2, most=high, wide=False)


def _extremes(image: Image.Image) -> list[tuple[float, float]]:
    """The least and the largest value of each channel."""
    found: Any = image.getextrema()
    return [found] if isinstance(found[0], int | float) else list(found)


def _with_levels(image: Image.Image, levels: Levels) -> Image.Image:
    """A picture of 8 bits whose values within `levels` are spread over all 8; transparency stays."""
    alpha = None
    if has_alpha(image):
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    image = image if image.mode == "L" else image.convert("RGB")
    table = to_bytes(np.arange(256, dtype=np.uint8), levels).tolist()
    image = image.point(table * len(image.getbands()))
    if alpha is not None:
        image.putalpha(alpha)
    return image


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF is no reason to lose the picture
        return 1


def is_grey(image: Image.Image) -> bool:
    """True when the image is stored without colour."""
    return image.mode in _GREY


def has_alpha(image: Image.Image) -> bool:
    """True when parts of the image may be transparent."""
    return image.mode in _ALPHA or "transparency" in image.info


def render(image: Image.Image, size: tuple[int, int], channels: int, fit: Fit) -> npt.NDArray[np.uint8]:
    """Pixels uint8 [H, W, C] of `image` for `size` (height, width) and 1, 3 or 4 channels.

    Colours that nobody sees never count: what is transparent is laid on white before scaling, or is white where four
    channels are asked, whatever was stored there.

    Raises:
        Unreadable: the image's colour format cannot be converted.
    """
    try:
        converted = _with_channels(image, channels)
    except ValueError as error:
        raise Unreadable(f"has a colour format ({image.mode}) that cannot be converted") from error
    pixels = np.asarray(_fitted(converted, size, fit), dtype=np.uint8)  # Pillow scales with premultiplied alpha
    if channels == 4 and not pixels[..., 3].all():
        pixels = np.where(pixels[..., 3:] == 0, np.array([255, 255, 255, 0], np.uint8), pixels)
    return pixels.reshape(*size, channels)


def _with_channels(image: Image.Image, channels: int) -> Image.Image:
    """`image` as L, RGB or RGBA. What is transparent is laid on white unless four channels are asked."""
    image = with_8_bits(image, PLAIN)  # a plugin's or caller's picture; those of files come so
    if has_alpha(image):
        image = image.convert("RGBA")
        if channels != 4:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    mode = _MODES[channels]
    if image.mode == "LAB":  # which Pillow turns into no other
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _fitted(image: Image.Image, size: tuple[int, int], fit: Fit) -> Image.Image:
    """`image` at `size` (height, width).

    crop: scaled until it covers, then the middle is cut out. pad: scaled until it fits inside, on black when grey,
    on white in colour, on nothing (transparent) with four channels. stretch: the aspect is not kept.
    """
    (height, width), (from_width, from_height) = size, image.size
    if (from_height, from_width) == size:
        return image
    if fit == "stretch":
        return image.resize((width, height), FILTER)
    if fit == "crop":
        scale = min(from_width / width, from_height / height)  # stored pixels per pixel made
        left, top = int((from_width - width * scale) / 2), int((from_height - height * scale) / 2)
        right, bottom = min(left + width * scale, from_width), min(top + height * scale, from_height)
        return image.resize((width, height), FILTER, box=(left, top, right, bottom))
    scale = max(from_width / width, from_height / height)
    inner = image.resize((max(1, round(from_width / scale)), max(1, round(from_height / scale))), FILTER)
    canvas = Image.new(image.mode, (width, height), _GROUNDS[image.mode])
    canvas.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return canvas
