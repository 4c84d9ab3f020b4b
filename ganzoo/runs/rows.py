"""The rows of a run's files of lines, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

Logged = dict[str, float]  # of metrics.jsonl: "step", "images", "seconds" and every value that was logged then
Sheet = dict[str, float]  # of samples.jsonl: "step", "epoch", "images", and what the sheet says in numbers


class Measured(TypedDict):
    """A score, and how it was measured: the samples, the model, the data, and the metric's options."""

    name: str
    value: float
    protocol: Mapping[str, Any]


class Evaluation(TypedDict):
    """Of scores.jsonl: the scores that were taken of a model at once."""

    step: int
    images: int
    metrics: list[Measured]
    training: NotRequired[bool]  # whether training took them on its way, and will again when it is resumed from before


class Warned(TypedDict):
    """Of warnings.jsonl."""

    step: int
    images: NotRequired[int]
    stage: NotRequired[int]
    kind: str
    text: str
