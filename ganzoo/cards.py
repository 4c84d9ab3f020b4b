"""Cards: what a plugin says it has, before any of it is imported.

A catalogue hook yields cards. A card's last field names the thing itself as ``"module:attribute"``, imported when
first used, so that listing a zoo of fifty plugins imports no torch. The field may also hold the object itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

API = 1  # the version of the contract that this ganzoo speaks


@dataclass(frozen=True, kw_only=True)
class Card:
    """An architecture.

    Attributes:
        name: what a user types, lower case, `-` between words.
        title: as the paper spells it.
        year: of the paper.
        paper: where to read it, such as ``"arXiv:1511.06434"``.
        summary: one sentence.
        tasks: of ``"unconditional"``, ``"conditional"``, ``"translation"``.
        resolutions: heights it is tested at; () when the data has no height (points).
        channels: channel counts it is tested at.
        licence: SPDX identifier of the code.
        api: version of ganzoo's contract the plugin was written for.
        bf16: True when bfloat16 was measured to reach float32's quality; `--precision auto` heeds it.
        batch_statistics: True when it normalises over the batch, so that a split batch is not the whole one.
        model: ``"module:Class"`` of the `Architecture`.
    """

    name: str
    title: str
    year: int
    paper: str
    summary: str
    tasks: frozenset[str] | set[str] = frozenset({"unconditional"})
    resolutions: tuple[int, ...] = ()
    channels: tuple[int, ...] = (1, 3)
    licence: str
    api: int
    bf16: bool = False
    batch_statistics: bool = False
    model: Any


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """A data set: `dataset` is ``"module:Class"``, a dataclass of options that is a `ganzoo.data.Source`.

    `origin` stands in the first line of a run, in run.json, in the report and in the model's header.
    """

    name: str
    summary: str
    origin: str
    api: int
    dataset: Any


@dataclass(frozen=True, kw_only=True)
class LossCard:
    """An adversarial loss: `loss` is ``"module:Class"``, a frozen dataclass of its constants."""

    name: str
    summary: str
    paper: str = ""
    api: int
    loss: Any


@dataclass(frozen=True, kw_only=True)
class PenaltyCard:
    """A term added to the discriminator's loss: `penalty` is ``"module:Class"``, a frozen dataclass of its weights."""

    name: str
    summary: str
    paper: str = ""
    api: int
    penalty: Any


@dataclass(frozen=True, kw_only=True)
class MetricCard:
    """A score of a trained model, or several: `metric` is ``"module:Class"``, a frozen dataclass of its options.

    `better` says of each score that can tell the better of two models whether a ``"smaller"`` or a ``"larger"`` one
    is better; `--keep-best` takes their names.
    """

    name: str
    summary: str
    api: int
    better: Mapping[str, Literal["smaller", "larger"]] = field(default_factory=dict)
    metric: Any


@dataclass(frozen=True, kw_only=True)
class LoggerCard:
    """A logger: `logger` is ``"module:Class"``, a dataclass of its options whose methods are run events.

    A run that names it (``--log NAME:option=value``) makes one, and tells it what happens. It may refuse when it is
    made, before anything is trained: by a `GanzooError` that says what is missing.
    """

    name: str
    summary: str
    api: int
    logger: Any


@dataclass(frozen=True, kw_only=True)
class RecipeCard:
    """A whole experiment: an architecture, data, options and the stages to train in order.

    A stage is a mapping with ``epochs``, ``images`` or ``steps``, and the options that change from there on.
    With `per_class` a model is trained for each label of the data. The same keys make a TOML file.
    """

    name: str
    summary: str
    architecture: str
    data: str
    preset: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[Mapping[str, Any], ...] = ()
    per_class: bool = False
    api: int
