"""What a metric is given and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from ganzoo.contract.report import Report, silent
from ganzoo.errors import UsageError


class Items(Protocol):
    """Items of a data set, by position."""

    @property
    def labels(self) -> Tensor | None:
        """int64 [N], positions in the data set's classes, -1 where there is none; None when it has no labels."""

    def __len__(self) -> int: ...

    def gather(self, indices: Tensor) -> Tensor:
        """The items at `indices`, int64 [B]: images float32 [B, C, H, W] in [-1, 1], vectors [B, D]."""

    def labelled(self, label: int | None = None) -> Items:
        """Those that have a label, or those that have this one."""


class DataItems(Protocol):
    """A whole data set, as a metric sees it."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Changes when any item does."""

    @property
    def fit(self) -> str:
        """How images of another shape were made to fit."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of each item; (D,) of vectors."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Label names; () when there are none."""

    @property
    def training(self) -> Items:
        """All that is trained on."""

    @property
    def test(self) -> Items | None:
        """The set's own test part, which no model saw; None where it has none."""

    def split(self) -> tuple[Items, Items]:
        """Items to learn from or look among, and those held out from that; the same ones each time."""


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
        z: the latents [N, Z] that `fake` were made from; None where there are none.
        classify: what `probabilities` asks; None where there is no classifier.
        draw: so many samples of the model, [B, C, H, W] at a time, for a metric that takes more than `fake`; the same
            ones each time. None of a translation.
    """

    real: Tensor
    fake: Tensor
    seed: int = 0
    asked: Tensor | None = None
    dataset: DataItems | None = None
    foreign: bool = False
    label: int | None = None
    folder: Path | None = None
    report: Report = silent
    z: Tensor | None = None
    classify: Callable[[DataItems, Tensor, Report], Tensor] | None = None
    draw: Callable[[int], Iterator[Tensor]] | None = None

    def probabilities(self, images: Tensor) -> Tensor:
        """What a small classifier of `dataset` gives each of its labels, [N, classes], for images like `fake`.

        It is trained once for a data set and a size, and kept. Raises: UsageError without a data set of labels.
        """
        if self.classify is None or self.dataset is None or images.dim() != 4 or len(self.dataset.classes) < 2:
            raise UsageError("A classifier needs a data set of images with labels.")
        return self.classify(self.dataset, images, self.report)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Metrics of the contract's number 1 ask every evidence for a translation's images."""
            if name in ("given", "truth", "back"):
                return None
            raise AttributeError(f"Evidence has no {name!r}")


@dataclass(frozen=True, kw_only=True)
class TranslationEvidence(Evidence):
    """What there is of a model that translates.

    Attributes:
        given: the images [N, C, H, W] that `fake` were made from.
        truth: what `fake` should be, [N, C, H, W], where the data knows it.
        back: `fake` translated back to the domain of `given`, [N, C, H, W]; None where that is not done.
    """

    given: Tensor
    truth: Tensor | None = None
    back: Tensor | None = None


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
