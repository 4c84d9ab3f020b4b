"""`spelling`: whether generated lines are spelled as those of the data are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.api import Evidence, UsageError
from ganzoo.api import Items as Part
from ganzoo_text.text import Text

MOST = 50_000  # items of the data that are looked among


@dataclass(frozen=True)
class Spelling:
    """A line is spelled well when each of its groups of three letters, its begin and its end included, is in the data.

    `spelled-real` is the share of such lines among items of the data that are held out from those looked among. `new`
    is the share of samples that are none of the lines looked among; those of a perfect model are new as often as the
    data's own held-out lines, `new-real`.
    """

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        """Raises: UsageError without lines, or a data set to look among."""
        if evidence.dataset is None or evidence.fake.dim() != 3:
            raise UsageError("The score spelling is for lines of text, and looks among those of a data set.")
        known, held_out = map(_lines, evidence.dataset.split())
        groups = {group for line in known for group in _groups(line)}
        made, seen = _words(evidence.fake), set(known)
        return {
            "spelled": _share(groups.issuperset(_groups(line)) for line in made),
            "spelled-real": _share(groups.issuperset(_groups(line)) for line in held_out),
            "distinct": len(set(made)) / len(made),
            "new": _share(line not in seen for line in made),
            "new-real": _share(line not in seen for line in held_out),
        }


Line = tuple[int, ...]


def _lines(part: Part) -> list[Line]:
    return _words(part.gather(torch.arange(min(MOST, len(part)))))


def _words(items: Tensor) -> list[Line]:
    """Items [N, A, L] -> the places of their letters, without what lies behind the end."""
    return [tuple(code for code in row if code) for row in Text({}).decode(items).tolist()]


def _groups(line: Line) -> Iterator[Line]:
    whole = (0, *line, 0)
    return (whole[place : place + 3] for place in range(max(1, len(whole) - 2)))


def _share(found: Iterator[bool]) -> float:
    every = list(found)
    return sum(every) / max(1, len(every))
