"""`words`: invented words that one can pronounce, so that a GAN of letters has data without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import UsageError, option
from ganzoo_text.text import codes

VERSION = 1  # raised whenever the same options give other words
BEGINS = ("b", "br", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "sh", "st", "t", "tr", "v")  # of a syllable
VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")
ENDS = ("l", "m", "n", "r", "s", "nd", "rk")  # of a word, one of three
DETAILS = {"alphabet": "".join(sorted(set("".join(BEGINS + VOWELS + ENDS)))), "length": 14}


@dataclass(frozen=True)
class Words:
    """A word each: two syllables, or three, each of a begin and a vowel; every third word has an end."""

    images: int = option(16384, "how many words", low=1)
    seed: int = option(0, "another seed draws other words", low=0, high=2**32 - 1)

    classes: ClassVar[tuple[str, ...]] = ()
    modality: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        if self.images < 1:
            raise UsageError("words draws one word or more, as in words:images=500.")

    def __len__(self) -> int:
        return self.images

    @property
    def details(self) -> Mapping[str, Any]:
        return DETAILS

    def label(self, index: int) -> int:
        return -1

    def word(self, index: int) -> str:
        """Word `index` as it is written, of 4 to 14 letters."""
        rng = np.random.RandomState([VERSION, self.seed, index])  # draws the same in every numpy
        syllables = [rng.choice(BEGINS) + rng.choice(VOWELS) for _ in range(2 + (rng.uniform() < 0.3))]
        return "".join(syllables) + (rng.choice(ENDS) if rng.uniform() < 1 / 3 else "")

    def read(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Word `index`, [14]. `size` says nothing to a word."""
        row: NDArray[np.float32] = codes([self.word(index)], DETAILS)[0]
        return row

    @property
    def fingerprint(self) -> str:
        """Changes whenever the words do."""
        return f"words-v{VERSION}:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """None: this is one set of words."""
        return {}
