"""Architectures as the checks of `ganzoo.testing` build them: small, and trained on noise in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from ganzoo.about import __version__
from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.frozen import frozen_in
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
from ganzoo.plan.plan import apply_options
from ganzoo.runs.header import FORMAT, DataHeader, Extent, ModelHeader

T = TypeVar("T", bound=Trainer)
TASKS = ("unconditional", "conditional", "translation")
SMALL = "small"  # the preset that is built, where there is one
BATCH, ITEMS = 4, 16
LENGTH = 1000 * BATCH  # images of the made-up run


@dataclass(frozen=True, eq=False)
class Case:
    """An architecture as the checks build it, for one task and one shape of data."""

    entry: Entry
    task: str
    model: type[Architecture]
    config: Any
    data: DataSpec

    def __str__(self) -> str:
        return f"{self.task} {'x'.join(map(str, self.data.shape))}"

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

    on_the_fly = False

    def __init__(self, data: DataSpec) -> None:
        names = data.domains or ("train",)
        self.parts = {name: NoisePart(data, seed) for seed, name in enumerate(names)}


class NoisePart:
    """One domain's items [N, …], and labels [N] in turn."""

    def __init__(self, data: DataSpec, seed: int) -> None:
        stream = torch.Generator().manual_seed(seed)
        self.items = torch.rand((ITEMS, *data.shape), generator=stream) * 2 - 1
        self.labels = torch.arange(ITEMS) % len(data.classes) if data.classes else None

    def __len__(self) -> int:
        return ITEMS

    def gather(self, indices: Tensor) -> Tensor:
        return self.items[indices]


def cases(entry: Entry, model: type[Architecture]) -> Iterator[Case]:
    """The small builds of an architecture that are trained. Raises: UsageError when a declared task has none."""
    for task in TASKS:
        if task not in entry.card.tasks:
            continue
        built = None
        for side in sorted(entry.card.resolutions):
            built = built or _case(
                entry, model, task, (max(entry.card.channels), side, side), promised=side == max(entry.card.resolutions)
            )
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
        yield from filter(None, (built, *others))


def _case(
    entry: Entry,
    model: type[Architecture],
    task: str,
    shape: tuple[int, ...],
    modality: str = "image",
    promised: bool = False,
) -> Case | None:
    """The case at one shape; None where the architecture refuses it, unless it is `promised`."""
    row = model.presets.get(SMALL, {})
    try:
        config = config_of(entry, model, {**row, "batch_size": BATCH}, shape, task)
        case = Case(entry, task, model, config, spec_of(task, shape, model, modality))
        names = networks(built := on_meta(case))
    except UsageError:
        if promised:
            raise
        return None
    if not any(is_generator(built, name) for name in names):
        raise GanzooError(f"None of its networks ({', '.join(names)}) is among its `generators`.")
    return case


def spec_of(task: str, shape: tuple[int, ...], model: type[Architecture], modality: str = "image") -> DataSpec:
    """Data as a task asks for it: three classes, or two domains."""
    classes = ("one", "two", "three") if task == "conditional" else ()
    domains = ("A", "B") if task == "translation" else ()
    return DataSpec(shape, classes, domains, modality, paired=bool(domains) and model.abilities.pairs)


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
