"""Every option does something: another value changes the networks, the schedule, a step or what is sampled.

The cheap questions come first. Networks are compared on torch's meta device, optimizers and schedules are asked for.
Only what is left is built in earnest, and its steps are drawn turn by turn, without optimizers, until a turn differs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import count, zip_longest
from typing import Any, cast

import torch
from torch import Tensor

from ganzoo.catalogue.catalogue import entries
from ganzoo.contract.architecture import Architecture, Progress, Update
from ganzoo.contract.data_spec import Batch
from ganzoo.contract.networks import networks, weightless
from ganzoo.contract.options import Option, options
from ganzoo.contract.randomness import Share, seed_everything
from ganzoo.contract.schedules import Schedule, at, has_schedules
from ganzoo.contract.settings import BY_ARCHITECTURE
from ganzoo.data import Dataset
from ganzoo.data.loader import Loader
from ganzoo.errors import UsageError
from ganzoo.model.model import Model
from ganzoo.model.translation import targets
from ganzoo.testing.architecture.cases import BATCH, LENGTH, Case, Noise, NoisePart, on_meta
from ganzoo.testing.architecture.training import trained
from ganzoo.testing.check import NotChecked, require

PLACES = 20  # of a run, at which schedules are asked
FIRST, LATER = 0, LENGTH // BATCH // 2  # steps that are drawn, each with the one after it
ALTERNATIVES = 3  # values of an option that are tried in earnest
FEW = 2  # items in a batch


def check_options(found: list[Case]) -> None:
    """Another value of each option changes something in one of the cases, or the class's `idle` says why not."""
    case = found[0]
    declared = options(type(case.config))
    idle = case.model.idle
    unknown = sorted(set(idle) - set(declared))
    require(not unknown, f"The class's `idle` names {', '.join(unknown)}, and there is no such option.")
    left = [name for name in declared if name not in BY_ARCHITECTURE and name not in idle]
    for each in found:
        probe = Probe(each)
        try:
            left = [name for name in left if not probe.matters(declared[name])]
        except Exception as error:
            raise NotChecked("Its step fails; see the check 'trains'.") from error
        if not left:
            return
    require(
        False,
        f"Another value changes nothing in a step of the small model: {', '.join(left)}. Use the option, strike it, or "
        f'say in the class what it waits for: idle = {{"{left[0]}": "why"}}.',
    )


class Probe:
    """What one case is like with its own config, to compare other values of its options with."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._meta = _frame(on_meta(case))

    def matters(self, option: Option) -> bool:
        """Whether some other value of an option changes something, or is refused."""
        cases = []
        for value in others(option, getattr(self.case.config, option.name)):
            case = dataclasses.replace(self.case, config=dataclasses.replace(self.case.config, **{option.name: value}))
            try:
                if _frame(weightless(case.model, case.config, case.data)) != self._meta:
                    return True
            except UsageError:
                continue
            cases.append(case)
        if not cases:
            return True  # it is read, and refused; or there is no value to guess
        cases = cases[:ALTERNATIVES]
        return (
            any(not _same(self._first, drawn(case, FIRST)) for case in cases)
            or any(not _same(self._later, drawn(case, LATER)) for case in cases)
            or any(not _same(self._samples, self._sampled(case)) for case in cases)
        )

    @cached_property
    def _first(self) -> list[Any]:
        return [*drawn(self.case, FIRST)]

    @cached_property
    def _later(self) -> list[Any]:
        return [*drawn(self.case, LATER)]

    @cached_property
    def _samples(self) -> list[Any]:
        return self._sampled(self.case)

    def _sampled(self, case: Case) -> list[Any]:
        """What the trained weights make with another config."""
        return sampled(case.averaged(trained(self.case)[0]))


def others(option: Option, value: Any) -> Iterator[Any]:
    """Other values of an option than this one, those that differ most first; none where they cannot be guessed."""
    for other in _others(option, value):
        with suppress(UsageError):  # out of range
            if option.parse(other) != value:
                yield option.parse(other)


def _others(option: Option, value: Any) -> Iterator[Any]:
    if option.choices:
        yield from option.choices
    elif option.kinds == (bool,):
        yield not value
    elif option.sequence:
        if value:
            yield tuple(2 * number for number in value)
            yield value[:-1]
    elif option.kinds == (str,):
        kind = {"loss": "loss", "penalty": "penalty", "augment": "augmentation"}.get(option.name)
        yield from (entry.name for entry in entries(kind or "loss") if kind)
    else:
        number = float(value) if isinstance(value, (int, float, Schedule)) else 0.0
        yield from (2 * number, number / 2, option.low, number / 8, number + 1, number - 1, 0.5, 1)
        if option.optional:
            yield None


def _frame(model: Architecture) -> list[Any]:
    """Networks by shape, loss and penalties, what is asked for, the optimizers, and the schedules along a run."""
    found: list[Any] = [{name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}]
    found.append([repr(getattr(model, name, None)) for name in ("loss", "penalties")])  # others check their use
    found.append((model.abilities, model.latent_dim, model.side_multiple, model.smallest_side, targets(model)))
    config = model.config
    for place in range(0, 2 * PLACES + 1):
        progress = _progress(LENGTH * place // PLACES)
        if has_schedules(config):
            model.config = at(config, progress)
        rates = {name: _rate(model, progress, name) for name in networks(model)}
        found.append((rates, model.phase(progress), model.batch_size(progress)))
    model.config = at(config, _progress(0)) if has_schedules(config) else config
    for name, network in networks(model).items():
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        if parameters:
            groups = model.optimizer(name, parameters).param_groups
            found.append([{key: value for key, value in group.items() if key != "params"} for group in groups])
    return found


def _rate(model: Architecture, progress: Progress, name: str) -> float | None:
    """The factor on a network's rate; None where it is read from a state, which holds no values on the meta device."""
    try:
        return model.learning_rate(progress, name)
    except RuntimeError:
        return None


def _progress(images: int) -> Progress:
    return Progress(images // BATCH, images, 0, 0, LENGTH)


def drawn(case: Case, step: int) -> Iterator[Any]:
    """The turns of two steps with first weights, without optimizers: terms, values shown, clipping, and what state is
    left; or the sentence that it is refused with.
    """
    try:
        model = case.build()
        yield from [tensor.clone() for tensor in model.state_dict().values()]
        batches = _batches(case)
        for each in (step, step + 1):
            progress = _progress(each * BATCH)
            if has_schedules(case.config):
                model.config = at(case.config, progress)
            model.begin_step(progress)
            seed_everything(0, "step", each)
            for update in model.step(batches, progress):
                yield from _of_turn(update)
        yield from [buffer.clone() for buffer in model.buffers()]
    except UsageError as error:
        yield str(error)


def _batches(case: Case) -> Iterator[Batch]:
    """A few items at a time."""
    loader = Loader(cast(Dataset, Noise(case.data)), 0, paired=case.data.paired)
    for position in count(0, FEW):
        yield loader.draw(position, FEW, Share())


def _of_turn(update: Update) -> list[Any]:
    shown = {**update.terms, **update.watch}
    return [update.names, update.clip, update.name, *shown, *(value.detach().clone() for value in shown.values())]


@torch.no_grad()
def sampled(model: Model) -> list[Any]:
    """Some of what a model makes, by every way that its abilities name."""
    architecture = model.architecture
    able, data = architecture.abilities, architecture.data
    found = [model.translate(NoisePart(data, 5, data.shape_before(to)).items[:2], to) for to in model.domains]
    if able.generate:
        z, label = model.noise(2, seed=1), model.labels(2, seed=1)
        found.append(model.generate(z, label))
        if able.truncation:
            found.append(model.generate(z, label, truncation=0.5))
        if able.mix:
            found.append(model.mix(z, z))
    return found


def _same(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Whether both have the same values, bit for bit; looks no further than the first that differs."""
    return all(_equal(a, b) for a, b in zip_longest(one, other))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return not isinstance(one, Tensor) and not isinstance(other, Tensor) and bool(one == other)
