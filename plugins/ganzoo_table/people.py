"""`people`: a table of invented people, so that a GAN of tables has data without a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import UsageError, option

VERSION = 1  # raised whenever the same options give other people
SCHOOLS = ("school", "college", "university")
JOBS = ("none", "shop", "craft", "office", "health", "science")
# Chance of each job by schooling.
CHANCES = {0: (2, 5, 6, 2, 1, 0), 1: (1, 2, 3, 6, 4, 1), 2: (1, 1, 1, 5, 4, 7)}
PAY = (0.9, 2.1, 2.6, 3.0, 3.3, 4.1)  # thousands a month by job, at 40


def _number(name: str, decimals: int, missing: bool = False) -> dict[str, Any]:
    return {"name": name, "kind": "number", "decimals": decimals, "missing": missing}


def _category(name: str, values: Sequence[str], missing: bool = False) -> dict[str, Any]:
    return {"name": name, "kind": "category", "values": list(values), "missing": missing, "truth": False}


@dataclass(frozen=True)
class People:
    """A row each: age, sex, height, weight, schooling, job, income (missing at times) and whether they smoke."""

    images: int = option(8192, "how many people", low=1)
    seed: int = option(0, "another seed draws other people", low=0, high=2**32 - 1)

    classes: ClassVar[tuple[str, ...]] = ()
    modality: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        if self.images < 1:
            raise UsageError(f"people cannot draw {self.images} rows; ask for one or more, as in people:images=8192.")

    def __len__(self) -> int:
        return self.images

    @property
    def details(self) -> Mapping[str, Any]:
        columns = [
            _number("age", 0),
            _category("sex", ("female", "male")),
            _number("height_cm", 1),
            _number("weight_kg", 1),
            _category("schooling", SCHOOLS),
            _category("job", JOBS),
            _number("income", 0, missing=True),
            _category("smoker", ("no", "yes"), missing=True),
        ]
        return {"columns": columns, "delimiter": ","}

    def label(self, index: int) -> int:
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Person `index`, [8]: numbers, codes of categories, NaN for what is missing."""
        rng = np.random.RandomState([VERSION, self.seed, index])  # draws the same in every numpy
        age = 18 + (14 * rng.uniform() + 4 if rng.uniform() < 0.4 else 15 + 45 * rng.beta(2, 2))
        sex = int(rng.uniform() < 0.5)
        height = 165 + 13 * sex + 6.5 * rng.standard_normal()
        weight = (22 + 0.06 * (age - 18) + 3 * rng.standard_normal()) * (height / 100) ** 2
        schooling = int(rng.choice(3, p=(0.4, 0.35, 0.25)))
        odds = np.array(CHANCES[schooling]) / sum(CHANCES[schooling])
        job = int(rng.choice(len(JOBS), p=odds))
        income = 1000 * PAY[job] * (0.6 + 0.01 * min(age, 55)) * math.exp(0.2 * rng.standard_normal())
        smoker = float(rng.uniform() < (0.35, 0.22, 0.1)[schooling])
        known = rng.uniform(size=2)
        return np.array(
            [round(age), sex, round(height, 1), round(weight, 1), schooling, job,
             math.nan if known[0] < 0.08 else round(income), math.nan if known[1] < 0.03 else smoker],
            np.float32,
        )  # fmt: skip

    @property
    def fingerprint(self) -> str:
        """Changes whenever the people do."""
        return f"people-v{VERSION}:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """None: this is one table."""
        return {}
