"""The pictures of a page: each kept once, and written as WebP so small that the page does not grow too large."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

LARGEST = 1600  # pixels of the longer side, unless a page is written in full
# What is tried in this order until all of it fits: the share of the sides, and the quality of WebP.
SIZES = ((1.0, 85), (1.0, 70), (0.75, 70), (0.6, 65), (0.45, 60), (0.35, 55), (0.25, 50), (0.15, 40))
TRIED = 4  # pictures whose size says what all of them weigh


class Album:
    """Pictures by number, in the order they were added."""

    def __init__(self) -> None:
        self.pictures: list[Image.Image] = []
        self.share = 1.0  # of the sides, as `encode` chose it

    def add(self, picture: Image.Image) -> int:
        """Its number."""
        self.pictures.append(picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "P") else "RGB"))
        return len(self.pictures) - 1

    def encode(self, room: int | None) -> list[bytes]:
        """Each picture as WebP; all of them take `room` bytes at most if that can be, None: all the room there is."""
        if room is None:
            return [_webp(picture, 1.0, None) for picture in self.pictures]
        for share, quality in SIZES:
            self.share = share
            some = self.pictures[:: max(1, len(self.pictures) // TRIED)]
            if sum(len(_webp(each, share, quality)) for each in some) * len(self.pictures) > 1.3 * room * len(some):
                continue
            encoded = [_webp(each, share, quality) for each in self.pictures]
            if sum(map(len, encoded)) <= room:
                return encoded
        return [_webp(picture, *SIZES[-1]) for picture in self.pictures]


def _webp(picture: Image.Image, share: float, quality: int | None) -> bytes:
    """A picture, scaled; without loss and of its own size where no quality is given."""
    file = io.BytesIO()
    if quality is None:
        picture.save(file, "WEBP", lossless=True)
        return file.getvalue()
    scale = min(share, LARGEST / max(picture.size))
    if scale < 1:
        size = [max(1, round(side * scale)) for side in picture.size]
        picture = picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    picture.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def spread(found: Sequence[int], most: int | None) -> list[int]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if most is None or len(found) <= most:
        return list(found)
    return [found[round(place * (len(found) - 1) / (most - 1))] for place in range(most)]
