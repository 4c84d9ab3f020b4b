"""What a run warns of while it trains."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingWarning:
    """Something that looks wrong in a run.

    Attributes:
        kind: "d-wins", "collapse", "divergence", "no-change", "copies", "sign", "rollback" or a word of a plugin's own.
        text: the figure that was seen and what people do about it, in a sentence or two.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text
