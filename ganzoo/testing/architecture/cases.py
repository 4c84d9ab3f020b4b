"""Architectures as the checks of `ganzoo.testing` build them: small, and trained on noise in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from ganzoo.about import __version__
from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.frozen import frozen_in
from ganzoo.contract.labels import labels_for
from ganzoo.contract.networks import is_generator, networks
from ganzoo.contract.options import options, values
from ganzoo.contract.randomness import seed_everything
from ganzoo.contract.settings import Settings
from ganzoo.data import Dataset
from ganzoo.data.loader import Loader
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.trainer import Trainer
from ganzoo.model.model import Model, make_model
from ganzoo.plan.describe import example_items
from ganzoo.plan.options import apply_options
from ganzoo.runs.header import FORMAT, DataHeader, Extent, ModelHeader

T = TypeVar("T", bound=Trainer)
TASKS = ("unconditional", "conditional", "translation")
SMALL = "small"  # the preset that is built, where there is one
BATCH, ITEMS = 4, 16
COLUMNS = {"attributes": ((0.5, 0.5), (0.4, 0.49), (0.6, 0.49)), "numbers": ((0.0, 1.0), (5.0, 2.0), (-1.0, 0.1))}
LENGTH = 1000 * BATCH  # images of the made-up run


@dataclass(frozen=True, eq=False)
class Case:
    """An architecture as the checks build it, for one task and one shape of data.

    Attributes:
        beside: what is special of its data, where it comes beside a plain case and is checked in less; else "".
    """

    entry: Entry
    task: str
    model: type[Architecture]
    config: Any
    data: DataSpec
    beside: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.task, "x".join(map(str, self.data.shape)), self.beside)))

    def build(self, seed: int = 0) -> Architecture:
        """The model on the CPU, with weights by the seed."""
        seed_everything(seed, "weights")
        return _pretending(self.model(self.config, self.data))

    def trainer(
        self, kind: type[T], seed: int = 0, precision: str = "fp32", batch_size: int = BATCH, accumulate: int = 1
    ) -> T:
        """A trainer of this class at step 0, on the CPU."""
        loader = Loader(cast(Dataset, Noise(self.data)), 0, paired=self.data.paired)
        extent = Extent(0, LENGTH)
        return kind(
            self.build(seed), loader, batch_size=batch_size, precision=precision, half_life=64, accumulate=accumulate,
            extent=extent,
        )  # fmt: skip

    @property
    def header(self) -> ModelHeader:
        """Of a model of this case."""
        data = DataHeader.of(self.data, "noise", "noise in memory")
        entry = self.entry
        return ModelHeader(
            entry.name, data, values(self.config), entry.distribution, entry.version, FORMAT, __version__
        )

    def averaged(self, trainer: Trainer) -> Model:
        """The trainer's averaged generators, to use."""
        model = make_model(self.entry, self.header, "cpu")
        _pretending(model.architecture)
        model.load_generators(trainer.ema.tensors)
        return model


def _pretending(model: Architecture) -> Architecture:
    """With frozen networks that make do with the weights they began with, so that no file is needed to check."""
    for frozen in frozen_in(model):
        frozen.ready = True
    return model


class Noise:
    """A data set in memory: items uniform in [-1, 1], in every class and domain that the DataSpec names."""

    sizes: Mapping[str, tuple[int, int]] = MappingProxyType({})

    def __init__(self, data: DataSpec) -> None:
        names = data.domains or ("train",)
        self.parts = {name: NoisePart(data, seed, data.shape_of(name)) for seed, name in enumerate(names)}


class NoisePart:
    """One domain's items [N, …], and labels [N] in turn, or [N, K]."""

    def __init__(self, data: DataSpec, seed: int, shape: tuple[int, ...] = ()) -> None:
        stream = torch.Generator().manual_seed(seed)
        self.items = torch.rand((ITEMS, *(shape or data.shape)), generator=stream) * 2 - 1
        in_turn = torch.arange(ITEMS) % len(data.classes) if data.classes else None
        self.labels = labels_for(data, ITEMS, None, stream) if data.columns else in_turn

    def __len__(self) -> int:
        return ITEMS

    def gather(self, indices: Tensor) -> Tensor:
        return self.items[indices]

    def prefetch(self, indices: Tensor) -> None:
        pass


def cases(entry: Entry, model: type[Architecture]) -> Iterator[Case]:
    """The small builds of an architecture that are trained. Raises: UsageError when a declared task has none."""
    for task in TASKS:
        if task not in entry.card.tasks:
            continue
        built, beside = None, list[Case | None]()
        for side in sorted(entry.card.resolutions):
            built = built or _case(
                entry, model, task, (max(entry.card.channels), side, side), promised=side == max(entry.card.resolutions)
            )
        if built is not None and entry.card.api >= 2:
            shape, words = built.data.shape, besides(task, model)
            beside = [_case(entry, model, task, shape, promised=True, beside=each) for each in words]
        others = [
            _case(
                entry, model, task, shape, modality, promised=modality == "point" and shape[0] in entry.card.dimensions
            )
            for modality, shape in example_items(entry, model)
            if task != "translation"
        ]
        if built is None and not any(others):
            raise UsageError(
                f"{entry.name} is built neither at a resolution of its card nor for points or other items."
            )
        yield from filter(None, (built, *beside, *others))


def _case(
    entry: Entry,
    model: type[Architecture],
    task: str,
    shape: tuple[int, ...],
    modality: str = "image",
    promised: bool = False,
    beside: str = "",
) -> Case | None:
    """The case at one shape; None where the architecture refuses it, unless it is `promised`."""
    row = model.presets.get(SMALL, {})
    try:
        config = config_of(entry, model, {**row, "batch_size": BATCH}, shape, task)
        case = Case(entry, task, model, config, spec_of(task, shape, model, modality, beside), beside)
        names = networks(built := on_meta(case))
    except UsageError:
        if promised:
            raise
        return None
    if not any(is_generator(built, name) for name in names):
        raise GanzooError(f"None of its networks ({', '.join(names)}) is among its `generators`.")
    return case


def _kinds(model: type[Architecture]) -> list[str]:
    """Of labels, those that an architecture says it takes; classes where it says none."""
    return [kind for kind in ("class", *COLUMNS) if kind in model.abilities.labels] or ["class"]


def besides(task: str, model: type[Architecture]) -> list[str]:
    """What else its data may have, as its abilities say: other labels, domains of other channels, more domains."""
    able = model.abilities
    if task == "conditional":
        return _kinds(model)[1:]
    if task == "translation":
        return [*["grey"] * able.channels, *["three domains"] * (not able.domains)]
    return []


def spec_of(
    task: str, shape: tuple[int, ...], model: type[Architecture], modality: str = "image", beside: str = ""
) -> DataSpec:
    """Data as a task asks for it: three labels, or two domains; or what is `beside` that, of `besides`.

    All domains but the first are twice as large, for an architecture that takes domains of different sizes.
    """
    names = ("one", "two", "three")
    if task == "conditional":
        kind = beside or _kinds(model)[0]
        if kind in COLUMNS:
            return DataSpec(shape, (), (), modality, label=kind, label_names=names, label_scale=COLUMNS[kind])
        return DataSpec(shape, names, (), modality)
    if task == "translation":
        domains = names if beside == "three domains" else ("A", "B")
        first = (1, *shape[1:]) if beside == "grey" else shape
        other = (shape[0], *(2 * side for side in shape[1:])) if model.abilities.sizes else shape
        shapes = {name: other if name != domains[0] else first for name in domains} if first != other else {}
        return DataSpec(first, (), domains, modality, paired=model.abilities.pairs, shapes=shapes)
    return DataSpec(shape, (), (), modality)


def config_of(
    entry: Entry, model: type[Architecture], given: dict[str, Any], shape: tuple[int, ...], task: str | None = None
) -> Any:
    """The Config with options given, told of the size as the trainer tells it, and of the task where it may choose."""
    told: dict[str, Any] = {"resolution": str(shape[1]), "channels": shape[0]} if len(shape) == 3 else {}
    if task is not None and "conditional" in options(model.Config):
        told["conditional"] = task == "conditional"
    return apply_options(entry.name, model.Config(), Settings(), {**given, **told})[0]


def on_meta(case: Case) -> Architecture:
    """The case's architecture, built without memory. Raises: UsageError when it refuses the data."""
    with torch.device("meta"):
        return case.model(case.config, case.data)
