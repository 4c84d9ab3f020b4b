"""The sets as sources. What they are is known beforehand; the first item read fetches them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ganzoo.api import Item, Reader, open_reader, silent
from ganzoo_torchvision.fetch import fetch

_DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Fetched:
    """The training images of a torchvision data set that is called like the class.

    Attributes:
        name: in ganzoo.
        shape: (channels, height, width) of every image.
        images: how many there are.
    """

    name: ClassVar[str]
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    images: ClassVar[int] = 60_000
    classes: ClassVar[tuple[str, ...]] = _DIGITS

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        return int(self._reader.labels.of[index])

    def read(self, index: int, size: tuple[int, int] | None = None) -> Item:
        return self._reader.decode(self._reader.data(index))

    @property
    def fingerprint(self) -> str:
        """Torchvision checks what it downloads, so the set's name stands for its content."""
        return hashlib.sha256(f"torchvision {type(self).__name__} train".encode()).hexdigest()

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        return {}

    @cached_property
    def _reader(self) -> Reader:
        return open_reader([fetch(type(self).__name__, silent, self.name)])


@dataclass(frozen=True)
class MNIST(Fetched):
    name = "mnist"


@dataclass(frozen=True)
class FashionMNIST(Fetched):
    name = "fashion-mnist"
    classes = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@dataclass(frozen=True)
class KMNIST(Fetched):
    name = "kmnist"
    classes = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@dataclass(frozen=True)
class CIFAR10(Fetched):
    name = "cifar10"
    shape = (3, 32, 32)
    images = 50_000
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
