"""Data sets with something wrong, one fault each. Another process reads them too, so they import no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ganzoo.errors import GanzooError
from tinyzoo.data import Tiny


@dataclass(frozen=True)
class Floats(Tiny):
    def read(self, index, size=None):
        return super().read(index, size) / 255


@dataclass(frozen=True)
class Palettes(Tiny):
    def read(self, index, size=None):
        return Image.fromarray(super().read(index, size)).convert("P")


@dataclass(frozen=True)
class Lists(Tiny):
    def read(self, index, size=None):
        return super().read(index, size).tolist()


@dataclass(frozen=True)
class Vectors(Tiny):
    def read(self, index, size=None):
        return super().read(index)[0, :2, 0] / 255


@dataclass(frozen=True)
class Renamed(Tiny):
    @property
    def fingerprint(self):
        return f"{super().fingerprint}:{id(self)}"


@dataclass(frozen=True)
class ChannelsFirst(Tiny):
    def read(self, index, size=None):
        return np.ascontiguousarray(super().read(index, size).transpose(2, 0, 1))


@dataclass(frozen=True)
class Sizes(Tiny):
    def read(self, index, size=None):
        return super().read(index, size or (8, 8 + index))


@dataclass(frozen=True)
class Misshapen(Tiny):
    shape = (1, 8, 8)


@dataclass(frozen=True)
class OffByOne(Tiny):
    def label(self, index):
        return index % 2 + 1


@dataclass(frozen=True)
class Twins(Tiny):
    classes = ("same", "same")


@dataclass(frozen=True)
class Halfway(Tiny):
    """Attributes that are neither 0 nor 1."""

    classes = ()
    label_kind = "attributes"
    label_names = ("dark", "round")

    def label(self, index):
        return (1, 0.5)


@dataclass(frozen=True)
class Greyed(Tiny):
    """Domains of which one says that it is grey, and is not."""

    domains = {"A": range(4), "B": range(4, 8)}  # noqa: RUF012
    domain_channels = {"A": 1, "B": 3}  # noqa: RUF012


@dataclass(frozen=True)
class Grown(Tiny):
    """Domains of which one says that it is larger, and is not."""

    domains = {"A": range(4), "B": range(4, 8)}  # noqa: RUF012
    domain_sizes = {"A": (8, 8), "B": (16, 16)}  # noqa: RUF012


@dataclass(frozen=True)
class Mismatched(Tiny):
    """Partners of another size than the domain that they belong to."""

    domains = {"A": range(4), "B": range(4, 8)}  # noqa: RUF012

    def partner(self, index, size=None):
        return np.zeros((5, 5, 3), np.uint8)


@dataclass(frozen=True)
class AllHeldOut(Tiny):
    @property
    def held_out(self):
        return range(len(self))


@dataclass(frozen=True)
class Unseeded(Tiny):
    def read(self, index, size=None):
        return np.random.default_rng().integers(0, 256, (8, 8, 3)).astype(np.uint8)


@dataclass(frozen=True)
class Ordered(Tiny):
    def __post_init__(self):
        object.__setattr__(self, "drawn", {})

    def read(self, index, size=None):
        return super().read(self.drawn.setdefault(index, len(self.drawn)), size)


@dataclass(frozen=True)
class SeedLess(Tiny):
    def read(self, index, size=None):
        return Tiny(self.images).read(index, size)


@dataclass(frozen=True)
class Anonymous(Tiny):
    @property
    def fingerprint(self):
        return "always"


@dataclass(frozen=True)
class Outside(Tiny):
    @property
    def domains(self):
        return {"A": [0, 1], "B": [2, self.images]}


@dataclass(frozen=True)
class Hashed(Tiny):
    """Strings hash otherwise in every process."""

    def read(self, index, size=None):
        return Tiny(self.images, hash(f"{self.seed}:{index}") % 1000).read(index, size)


@dataclass(frozen=True)
class Online(Tiny):
    def read(self, index, size=None):
        import urllib.request

        try:
            urllib.request.urlopen("http://data.invalid/images.zip")
        except OSError as error:
            raise GanzooError(f"The images cannot be fetched ({error}).") from error
