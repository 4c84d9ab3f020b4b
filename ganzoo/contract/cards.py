"""Cards: what a plugin says it has, before any of it is imported.

A catalogue hook yields cards. A card's last field names the thing itself as ``"module:attribute"``, imported when
first used, so that listing a zoo of fifty plugins imports no torch. The field may also hold the object itself.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal

from ganzoo.errors import GanzooError

API = 2  # the version of the contract that this ganzoo speaks
OLDEST_API = 1  # the oldest one that it still reads
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class Card:
    """What every card says.

    Attributes:
        name: what a user types, lower case, `-` between words.
        summary: one sentence.
        api: version of ganzoo's contract the plugin was written for.
    """

    name: str
    summary: str
    api: int


@dataclass(frozen=True, kw_only=True)
class ArchitectureCard(Card):
    """An architecture.

    Attributes:
        title: as the paper spells it.
        year: of the paper.
        paper: where to read it, such as ``"arXiv:1511.06434"``.
        tasks: of ``"unconditional"``, ``"conditional"``, ``"translation"``.
        resolutions: heights it is tested at; () when the data has no height (points).
        channels: channel counts it is tested at.
        dimensions: lengths of the vectors it is tested at, such as ``(2,)`` for points of the plane.
        licence: SPDX identifier of the code.
        bf16: True when bfloat16 was measured to reach float32's quality; `--precision auto` heeds it.
        batch_statistics: True when it normalises over the batch, so that a split batch is not the whole one.
        good_for: what one would take it for, in a few words, such as ``"faces, in an evening"``.
        smallest_data: how many items it was seen to learn from; 0 where nobody tried.
        smallest_length: how many items it was seen to draw, each as often as it came, until what it makes was
            recognisable; 0 where nobody measured. A shorter training is warned of, and by default none is shorter.
        best: its best measured score, with the data, such as ``"90.1 % confident (MNIST)"``; "" where there is none.
        minutes: of training that this took.
        measured: the machine that it took them on.
        model: ``"module:Class"`` of the `Architecture`.
    """

    title: str
    year: int
    paper: str
    tasks: frozenset[str] | set[str] = frozenset({"unconditional"})
    resolutions: tuple[int, ...] = ()
    channels: tuple[int, ...] = (1, 3)
    dimensions: tuple[int, ...] = ()
    licence: str
    bf16: bool = False
    batch_statistics: bool = False
    good_for: str = ""
    smallest_data: int = 0
    smallest_length: int = 0
    best: str = ""
    minutes: int = 0
    measured: str = ""
    model: Any


@dataclass(frozen=True, kw_only=True)
class DatasetCard(Card):
    """A data set: `dataset` is ``"module:Class"``, a dataclass of options that is a `ganzoo.data.Source`.

    `origin` stands in the first line of a run, in run.json, in the report and in the model's header.
    """

    origin: str
    dataset: Any


@dataclass(frozen=True, kw_only=True)
class LossCard(Card):
    """An adversarial loss: `loss` is ``"module:Class"``, a frozen dataclass of its constants.

    `aliases` are other names that the field has for it, such as ``("mse",)``; who types one gets this.
    """

    paper: str = ""
    aliases: tuple[str, ...] = ()
    loss: Any


@dataclass(frozen=True, kw_only=True)
class PenaltyCard(Card):
    """A term added to the discriminator's loss: `penalty` is ``"module:Class"``, a frozen dataclass of its weights.

    `aliases` are other names that the field has for it.
    """

    paper: str = ""
    aliases: tuple[str, ...] = ()
    penalty: Any


@dataclass(frozen=True, kw_only=True)
class AugmentationCard(Card):
    """What alters what D sees: `augmentation` is ``"module:Class"``, a frozen dataclass of its options.

    `modalities` are the kinds of items it applies to, `aliases` other names that the field has for it.
    """

    paper: str = ""
    aliases: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ("image",)
    augmentation: Any


@dataclass(frozen=True, kw_only=True)
class MetricCard(Card):
    """A score of a trained model, or several: `metric` is ``"module:Class"``, a frozen dataclass of its options.

    `better` says of each score that can tell the better of two models whether a ``"smaller"`` or a ``"larger"`` one
    is better; `--keep-best` takes their names. `modalities` are the kinds of items it applies to. `trains` is True
    where it trains something first, such as a classifier: it comes last, and `ganzoo evaluate --quick` leaves it out.
    One that is taken `on_request` is left out where no metric is named, since it needs a download or takes long.
    """

    better: Mapping[str, Literal["smaller", "larger"]] = field(default_factory=dict)
    modalities: tuple[str, ...] = ("image",)
    trains: bool = False
    on_request: bool = False
    metric: Any


@dataclass(frozen=True, kw_only=True)
class LoggerCard(Card):
    """A logger: `logger` is ``"module:Class"``, a dataclass of its options whose methods are run events.

    A run that names it (``--log NAME:option=value``) makes one, and tells it what happens. It may refuse when it is
    made, before anything is trained: by a `GanzooError` that says what is missing. `writes` says what it writes outside
    the run's folder, and why; "" for nothing.
    """

    writes: str = ""
    logger: Any


@dataclass(frozen=True, kw_only=True)
class ModalityCard(Card):
    """What an item is: `modality` is ``"module:Class"``, a subclass of `Modality`.

    Attributes:
        items: several of them in words, such as ``"sounds"``.
        suffixes: endings of the files that hold one item each.
        collections: endings of the files that hold many items.
        example: shape of a small item, such as ``(1, 1024)``, that the checks build architectures for; () for none.
    """

    items: str
    suffixes: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    example: tuple[int, ...] = ()
    modality: Any


@dataclass(frozen=True, kw_only=True)
class SchemeCard(Card):
    """Addresses that begin with ``name://``: `scheme` is ``"module:Class"``, a subclass of `Scheme`.

    Attributes:
        fetches: of ``"model"`` and ``"data"``, what such an address can stand for.
        publishes: True where `ganzoo push` can put a model.
    """

    fetches: tuple[str, ...] = ("model",)
    publishes: bool = False
    scheme: Any


@dataclass(frozen=True, kw_only=True)
class CommandCard(Card):
    """A command of the command line, ``ganzoo NAME``: `command` is ``"module:attribute"``, a `click.Command`.

    `ganzoo --help` shows `summary` in the `section`, and imports nothing. A name that is ganzoo's own stays ganzoo's:
    this one is then ``ganzoo distribution:name``. `examples` are whole lines that one may type.
    """

    section: str = "Using what was trained"
    examples: tuple[str, ...] = ()
    command: Any


@dataclass(frozen=True, kw_only=True)
class RecipeCard(Card):
    """A whole experiment: an architecture, data, options and the stages to train in order.

    A stage is a mapping with ``epochs``, ``images`` or ``steps``, and the options that change from there on.
    With `per_class` a model is trained for each label of the data. The same keys make a TOML file.
    """

    architecture: str
    data: str
    preset: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[Mapping[str, Any], ...] = ()
    per_class: bool = False


def check(card: Any, card_type: type, hook: str) -> str | None:
    """A remark on a card of an older contract, which still counts; None for one of today's.

    Raises: GanzooError, half a sentence about the plugin, for what is no sound card or cannot be read any more.
    """
    if not issubclass(type(card), card_type):
        raise GanzooError(f"its {hook} gave a {type(card).__name__} where a {card_type.__name__} belongs")
    if not _fits(card.api, int) or card.api < 1:
        raise GanzooError(f"its card {card.name!r} has no valid api version, but {card.api!r}")
    if card.api > API:
        raise GanzooError(f"it is made for a newer ganzoo (API {card.api}, this is {API}); upgrade ganzoo")
    if card.api < OLDEST_API:
        reads = f"{OLDEST_API} to {API}" if OLDEST_API < API else str(API)
        raise GanzooError(
            f"it is made for an older ganzoo (API {card.api}, this one reads {reads}); upgrade the plugin"
        )
    if not _NAME.fullmatch(str(card.name)):
        raise GanzooError(f"its card's name {card.name!r} is not lower case letters, digits, '-', '_' and '.'")
    if fault := fault_of(card):
        raise GanzooError(f"its card {card.name!r} is not sound: {fault}")
    if card.api < API:
        return f"it is made for an older ganzoo (API {card.api}, this is {API}), which still works; upgrade the plugin"
    return None


def fault_of(card: Any) -> str | None:
    """What is wrong with a card's fields, as in ``"year is '2015', which is no int"``; None where they are sound."""
    card_type: Any = type(card)
    for name, hint in _hints(card_type).items():
        value = getattr(card, name)
        if not _fits(value, hint):
            expected = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            return f"{name} is {value!r}, which is no {expected}"
        if isinstance(value, str) and not value.isprintable():
            return f"{name} is {value!r}, which is not one line of text"
        if hint is Any and (value is None or (isinstance(value, str) and not _names_an_object(value))):
            return f'{name} is {value!r}, which is neither "module:attribute" nor the thing itself'
    return None


@cache
def _hints(card_type: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(card_type)
    return {each.name: hints[each.name] for each in fields(card_type)}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a card's type: a class, a union, a tuple or set of one type, or a mapping by name."""
    if hint is Any or type(value) is hint:
        return True
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if origin is not None:
        return isinstance(value, origin) and all(_fits(each, parts[0]) for each in value)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))


def _names_an_object(text: str) -> bool:
    module, _, attribute = text.partition(":")
    return bool(attribute) and all(part.isidentifier() for part in (*module.split("."), *attribute.split(".")))
