"""What a metric is given and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from ganzoo.data.dataset import Dataset
from ganzoo.data.source import Report, silent
from ganzoo.errors import UsageError


@dataclass(frozen=True)
class Evidence:
    """What is judged, all of it on the CPU.

    Attributes:
        real, fake: real and generated images [N, C, H, W] in [-1, 1].
        seed: of whatever a metric draws.
        asked: the label asked for of each of `fake`, int64 [N], a position in the data set's classes; None where the
            model takes no labels.
        dataset: the data set the model was trained on, whole, or that it is compared with; None of a translation.
        foreign: whether `dataset` is another one, which the model is compared with.
        label: the only label that the model was trained on; None: on everything.
        folder: where a metric may leave pictures; None: nowhere.
        report: told of work that takes long.
        given, truth: of a translation, the images that `fake` were made from and, where the data knows them, what they
            should be; [N, C, H, W] both.
        back: of a translation, `fake` translated back to the domain of `given`, [N, C, H, W].
        z: the latents [N, Z] that `fake` were made from; None where there are none.
    """

    real: Tensor
    fake: Tensor
    seed: int = 0
    given: Tensor | None = None
    truth: Tensor | None = None
    back: Tensor | None = None
    asked: Tensor | None = None
    dataset: Dataset | None = None
    foreign: bool = False
    label: int | None = None
    folder: Path | None = None
    report: Report = silent
    z: Tensor | None = None

    def probabilities(self, images: Tensor) -> Tensor:
        """What a small classifier of `dataset` gives each of its labels, [N, classes], for images like `fake`.

        It is trained once for a data set and a size, and kept. Raises: UsageError without a data set of labels.
        """
        from ganzoo.classifier import trained_classifier

        if self.dataset is None or images.dim() != 4 or len(self.dataset.classes) < 2:
            raise UsageError("A classifier needs a data set of images with labels.")
        return trained_classifier(self.dataset, self.report).network.judge(images)[1]


class Scores(dict[str, float]):
    """Values by name, with what else their protocol must say: ``Scores({"error": 0.1}, scale=2)``."""

    def __init__(self, values: Mapping[str, float], **protocol: Any) -> None:
        super().__init__(values)
        self.protocol = protocol


class Metric(Protocol):
    """A score, or several that belong together."""

    def __call__(self, evidence: Evidence) -> Mapping[str, float]:
        """Values by name, as `Scores` where the protocol has more to say than the metric's options.

        The same evidence gives the same values, and the shared random state is left alone. Raises: UsageError where
        the metric does not apply to such data.
        """
