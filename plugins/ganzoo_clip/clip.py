"""The modality of clips, [T, C, H, W] in [-1, 1], T frames of one size; and `bouncing`, a set that is drawn by code."""

import io
from collections.abc import Mapping, Sequence
from colorsys import hsv_to_rgb
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence
from torch import Tensor

from ganzoo.api import Modality, Unreadable, UsageError, grid, option, to_picture

MOST = 1 << 28  # bytes of frames that are read of one file
STRIP, WIDE = 16, 1200  # frames of a strip, and pixels to which a sheet is enlarged, both at the most


@dataclass(frozen=True)
class ClipOptions:
    frames: int | None = option(None, "frames of each: longer ones are cut at the end", low=2, high=1024)
    side: int | None = option(None, "height and width, to which the middle of each is scaled", low=4, high=1024)


class Clip(Modality):
    """Clips of one length, size and number of channels, 1 or 3. Encoded, they are as they are: in [-1, 1]."""

    Options = ClipOptions
    transforms: ClassVar = frozenset({"flip"})
    shown: ClassVar = 16
    writes: ClassVar = (".gif",)
    each: ClassVar = ".gif"

    @classmethod
    def read(cls, data: bytes) -> tuple[NDArray[Any], dict[str, Any]]:
        """An animation's frames, uint8 [T, C, H, W], what is transparent on white; C is 1 where all is grey."""
        try:
            opened = Image.open(io.BytesIO(data), formats=("GIF", "PNG", "WEBP"))
            white = Image.new("RGBA", opened.size, "white")
            parts = islice(ImageSequence.Iterator(opened), MOST // (3 * opened.width * opened.height))
            seen = [Image.alpha_composite(white, part.convert("RGBA")).convert("RGB") for part in parts]
        except Exception as error:  # Pillow's decoders raise almost anything on damaged files
            raise Unreadable("is no animated GIF, WebP or PNG, or is cut short") from error
        if len(seen) < 2:
            raise Unreadable("is a picture that does not move")
        frames = np.stack([np.asarray(frame) for frame in seen])
        grey = (frames == frames[..., :1]).all()
        return frames[..., : 1 if grey else 3].transpose(0, 3, 1, 2), {"pause": opened.info.get("duration") or 80}

    @classmethod
    def settle(cls, seen: Sequence[tuple[tuple[int, ...], Mapping[str, Any]]], options: ClipOptions) -> dict[str, Any]:
        """One length and one size, as asked; colour where any clip has some; the first clip's pause."""
        lengths, sizes = sorted({shape[0] for shape, _ in seen}), {shape[2:] for shape, _ in seen}
        frames = options.frames or lengths[0]
        advice = f"say one, such as --as clip:frames={lengths[0]},side=32"
        if lengths[0] < frames or (options.frames is None and len(lengths) > 1):
            raise UsageError(f"The clips have {lengths[0]} to {lengths[-1]} frames; {advice}, or remove short ones.")
        if options.side is None and len(sizes) > 1:
            raise UsageError(f"The clips have {len(sizes)} sizes; {advice}.")
        height, width = (options.side,) * 2 if options.side else next(iter(sizes))
        channels = max(shape[1] for shape, _ in seen)
        return {"frames": frames, "channels": channels, "height": height, "width": width, **seen[0][1]}

    @classmethod
    def cut(cls, item: NDArray[Any], details: Mapping[str, Any]) -> NDArray[Any]:
        """The first frames, each scaled until it covers the size, its middle cut out."""
        size, mode = (details["width"], details["height"]), "L" if details["channels"] == 1 else "RGB"
        item = np.broadcast_to(item, (len(item), 3, *item.shape[2:])).transpose(0, 2, 3, 1)[: details["frames"]]
        fitted = [np.asarray(ImageOps.fit(Image.fromarray(frame).convert(mode), size)) for frame in item]
        return np.stack(fitted).reshape(len(item), *size[::-1], -1).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1

    def sheet(
        self, items: Tensor, columns: int | None = None, gap: int = 2, real: Any = None, model: Any = None
    ) -> Image.Image:
        """A row a clip: its frames, or every second, third … one where they are many."""
        strips = items[:, :: -(-items.shape[1] // STRIP)]
        picture = grid(strips.flatten(0, 1), (columns or 1) * strips.shape[1], gap)
        return ImageOps.scale(picture, max(1, WIDE // picture.width), Image.Resampling.NEAREST)

    def save(self, items: Tensor, file: Path) -> None:
        """A moving picture that repeats: one clip, or several in a grid."""
        first, *rest = [to_picture(now[0]) if len(now) == 1 else grid(now) for now in items.transpose(0, 1)]
        first.save(file, "GIF", save_all=True, append_images=rest, duration=self.state.get("pause", 80), loop=0)


@dataclass(frozen=True)
class Bouncing:
    """Each ball keeps its size, colour and speed; the dark background, a blend from top to bottom, stands still."""

    images: int = option(2000, "how many clips", low=1)
    seed: int = option(0, "another seed draws other clips", low=0, high=2**32 - 1)
    side: int = option(32, "height and width in pixels", low=8, high=128)
    frames: int = option(16, "frames of each", low=2, high=128)

    classes: ClassVar = ("one", "two", "three")  # balls
    modality: ClassVar = "clip"
    domains: ClassVar[dict[str, list[int]]] = {}

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        return int(np.random.RandomState([self.seed, index]).randint(3))

    def read(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Clip `index`, [frames, 3, side, side] in [-1, 1]. `size` says nothing to a clip."""
        rng = np.random.RandomState([self.seed, index])
        balls = 1 + rng.randint(3)  # drawn first, as by `label`
        y, x = np.mgrid[: self.side, : self.side] + 0.5
        top, bottom = rng.uniform(0.05, 0.4, (2, 3, 1, 1))
        clip = np.stack([top + (bottom - top) * y / self.side] * self.frames)
        for _ in range(balls):
            radius, colour = self.side * rng.uniform(0.09, 0.15), np.array(hsv_to_rgb(rng.uniform(), 0.85, 1))
            speed = rng.uniform(0.03, 0.1, 2) * (2 * rng.randint(2, size=2) - 1)  # ways from wall to wall, a frame
            way = rng.uniform(0, 2, 2) + speed * np.arange(self.frames)[:, None]
            place = radius + (self.side - 2 * radius) * np.abs(way % 2 - 1)  # [T, 2]: there and back
            away = np.hypot(y - place[:, 0, None, None], x - place[:, 1, None, None])
            clip += np.clip(radius + 0.5 - away, 0, 1)[:, None] * (colour[:, None, None] - clip)
        return (2 * clip - 1).astype(np.float32)

    @property
    def fingerprint(self) -> str:
        return f"bouncing-v1:{self.images}:{self.seed}:{self.side}:{self.frames}"
