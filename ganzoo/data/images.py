"""From a file's bytes to pixels of the size and channels that were asked."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganzoo.contract.modality import Unreadable as Unreadable

Fit = Literal["crop", "pad", "stretch"]
FITS: tuple[Fit, ...] = ("crop", "pad", "stretch")

# Lanczos is antialiased in Pillow and keeps the most detail when photographs shrink; StyleGAN's data tool uses it too.
FILTER = Image.Resampling.LANCZOS

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


def decode(data: bytes) -> Image.Image:
    """The image in a file's bytes, turned as its EXIF orientation says; the first frame of several.

    Raises:
        Unreadable: it is no image, is cut short, has colours that cannot be converted, or claims so many pixels that it
            looks like an attack.
    """
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("claims more pixels than an honest image has (a decompression bomb?)") from error
    except MemoryError as error:
        raise Unreadable("needs more memory than there is") from error
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files
        raise Unreadable("is not a readable image, or is cut short") from error
    render(image.crop((0, 0, 1, 1)), (1, 1), 3, "crop")  # says so now when its colours cannot be converted
    turn = _TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


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

    Raises:
        Unreadable: the image's colour format cannot be converted.
    """
    try:
        converted = _with_channels(image, channels)
    except ValueError as error:
        raise Unreadable(f"has a colour format ({image.mode}) that cannot be converted") from error
    pixels = np.asarray(_fitted(converted, size, fit), dtype=np.uint8)
    return pixels.reshape(*size, channels)


def _with_channels(image: Image.Image, channels: int) -> Image.Image:
    """`image` as L, RGB or RGBA. What is transparent is laid on white unless four channels are asked."""
    if image.mode.startswith("I"):  # 16 bits a pixel: 65535 / 257 = 255
        wide = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point pixels")
    if has_alpha(image):
        image = image.convert("RGBA")
        if channels != 4:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    mode = _MODES[channels]
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
