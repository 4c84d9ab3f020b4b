"""Checks a plan against its data and this machine before anything is written."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo import data
from ganzoo.catalogue.components import make_loggers
from ganzoo.contract.architecture import Progress
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.frozen import frozen_in
from ganzoo.contract.networks import freeze, is_generator, networks, weightless
from ganzoo.contract.report import Report
from ganzoo.devices import pick_device
from ganzoo.errors import RESUME_ME, GanzooError, UsageError
from ganzoo.loop.display import Display
from ganzoo.loop.processes import one_run_only
from ganzoo.loop.session import Session
from ganzoo.loop.trainer import check_split
from ganzoo.loop.validation import Validator
from ganzoo.model.model import Model
from ganzoo.plan.memory import batches_drawn
from ganzoo.plan.plan import Plan, plan_run, takes_labels
from ganzoo.plan.spec import data_channels, data_spec, expected_spec
from ganzoo.runs.header import RunHeader, model_of
from ganzoo.runs.weights import located
from ganzoo.scoring.evaluator import judged_data
from ganzoo.training.estimate import memory_needed
from ganzoo.training.facts import first_weights


class PackingStopped(GanzooError):
    """``--max-time`` was over while data was packed. What is packed stays, and the same command goes on with it."""

    exit_code = RESUME_ME


def prepare(
    plan: Plan,
    display: Display,
    *,
    pack: bool = True,
    init: str | os.PathLike[str] | None = None,
    deadline: float = math.inf,
) -> Session:
    """Checks a plan against its data and this machine, and packs the data, unless `pack` says no.

    Args:
        init: where the first weights will be taken from, if they fit.
        deadline: when packing stops, by `time.monotonic`.
    Raises: UsageError; PackingStopped.
    """
    one_run_only()
    loggers = make_loggers(plan.settings.log)
    device = pick_device(plan.settings.device)
    if plan.settings.sync_batchnorm and device.type != "cuda":
        raise UsageError(f"--sync-batchnorm needs CUDA, and this trains on {device.type}; leave it out.")
    expected = expected_spec(plan)
    if expected is not None:  # before the data is packed, which may take long
        _check_batches(plan, plan.data.trained)
        check_networks(plan, expected)
        if init is not None:
            with warnings.catch_warnings(action="ignore"):  # torch says that nothing is copied
                first_weights(weightless(plan.model, plan.config, expected), str(init), plan.entry.name)
    for _, settings in plan.by_stage:
        Validator(settings, kind=plan.data.modality)  # which refuses scores that there are not
    for note in plan.notes:
        display.say(note)
    side = plan.settings.load_size
    dataset = data.prepare(
        plan.data.name,
        resolution=plan.size,
        channels=data_channels(plan),
        load_size=(side, side) if side else None,
        keep=plan.label,
        domains=plan.domains,
        own_sizes=bool(plan.sizes),
        skip_small=plan.settings.skip_small,
        sides=plan.entry.card.resolutions if plan.size else (),
        report=_until(
            deadline,
            display,
            PackingStopped,
            "No step was taken; what is packed stays, and the same command goes on.",
        ),
        unpack=None if pack else False,
    )
    if takes_labels(plan.model, plan.config) and dataset.classes:
        _check_labelled(dataset)
    _check_batches(plan, max(len(part) for part in dataset.parts.values()))
    spec = data_spec(dataset, plan.size)
    if spec != expected:
        check_networks(plan, spec)
    for warning in _warnings(plan, dataset, spec):
        display.warn(warning)
    return Session(plan, dataset, loggers)


def _warnings(plan: Plan, dataset: data.Dataset, spec: DataSpec) -> Iterator[str]:
    """What can be trained and will likely disappoint."""
    name, abilities = plan.entry.name, plan.model.abilities
    model = weightless(plan.model, plan.config, spec)
    normed = [
        network for network, module in networks(model).items()
        if not is_generator(model, network) and any(isinstance(layer, _BatchNorm) for layer in module.modules())
    ]  # fmt: skip
    # Its author measured the penalties of defaults and presets; a user's own choice is what may disappoint.
    own = {getattr(model.Config(), "penalty", ""), *(row.get("penalty", "") for row in model.presets.values())}
    penalty = getattr(plan.config, "penalty", "")
    if penalty and normed and penalty not in own:
        yield (
            f"{normed[0]} has batch norm, through which an item's gradient depends on the whole batch; the penalty "
            f"{penalty} is meant for networks without it, and may do little or harm."
        )
    needed = plan.entry.card.smallest_length
    if needed and not plan.recipe and (drawn := _drawn(plan, dataset, spec)) < needed / 2:
        yield (
            f"This draws {drawn:,} images in all, and {name} was seen to need {needed:,} until what it makes is "
            f"recognisable; --images {needed} trains for that many."
        )
    if dataset.paired and abilities.translate and not abilities.pairs:
        yield f"The pairs of {dataset.name} are not used: {name} draws its domains independently."
    if takes_labels(plan.model, plan.config) and dataset.classes:
        labels = torch.cat([part.labels for part in dataset.parts.values() if part.labels is not None])
        counts = torch.bincount(labels[labels >= 0], minlength=len(dataset.classes)).tolist()
        few = [name for name, count in zip(dataset.classes, counts, strict=True) if count < 2]
        if few:
            yield f"There is one item or none of {', '.join(few[:5])}; {name} cannot learn a class from that."


def prepared(architecture: str, dataset: str, *, preset: str | None = None, **options: Any) -> Session:
    """What `train` would train, with its data packed, in memory alone: `build` makes a trainer at its first step.

    Raises: UsageError for what `train` would refuse.
    """
    return prepare(plan_run(architecture, dataset, preset=preset, **options), Display())


def _drawn(plan: Plan, dataset: data.Dataset, spec: DataSpec) -> int:
    """Items that a plan draws in all its stages, each as often as it comes."""
    epoch, drawn = max(len(part) for part in dataset.parts.values()), 0
    for stage, (config, settings) in zip(plan.stages, plan.by_stage, strict=True):
        if stage.rollback is None:
            turns = batches_drawn(weightless(plan.model, config, spec), 2) if stage.unit == "steps" else 1
            drawn += stage.count * {"images": 1, "epochs": epoch, "steps": settings.batch_size * turns}[stage.unit]
    return drawn


def _check_batches(plan: Plan, items: int) -> None:
    """Raises: UsageError when a stage's batch is larger than the data."""
    for _, settings in plan.by_stage:
        if (batch := settings.batch_size) > items:
            where = plan.data.name + (f" with the label {plan.label}" if plan.label is not None else "")
            raise UsageError(
                f"A batch of {batch} is larger than {where}, which has {items}; use --batch-size {items} or less."
            )


def rehearse_scores(session: Session, header: RunHeader, display: Display, deadline: float) -> list[float]:
    """Tries what is to be scored while training; seconds of one evaluation in each stage, about.

    Raises: UsageError when it cannot be, or ``--max-time`` is over, before anything can be saved.
    """
    advice = "Nothing was trained; give it more time, or choose cheap scores, such as --evaluate swd."
    report = _until(deadline, display, UsageError, advice)
    validators = [Validator(settings, report) for _, settings in session.plan.by_stage]
    if not any(validator.every for validator in validators):
        return [0.0] * len(validators)
    model = Model(session.build().model, model_of(header, header.config, 0, 0))
    dataset = judged_data(header.data, "this run")
    return [validator.rehearse(model, dataset) for validator in validators]


def _until(deadline: float, display: Display, error: type[GanzooError], advice: str) -> Report:
    """Reports work on the display, and raises the error once the deadline is past and some of it is left."""

    def report(what: str, done: int, total: int) -> None:
        display.report(what, done, total)
        if time.monotonic() >= deadline and 0 < done < total:
            raise error(
                f"The time of --max-time was over before training began ({what}: {done:,} of {total:,}). {advice}"
            )

    return report


def _check_labelled(dataset: data.Dataset) -> None:
    """Raises: UsageError when some items have no label, for an architecture that needs one of each."""
    missing = sum(int((part.labels < 0).sum()) for part in dataset.parts.values() if part.labels is not None)
    if missing:
        raise UsageError(f"{missing:,} items of {dataset.name} have no label; label them, or leave them out.")


def check_data(plan: Plan, spec: DataSpec) -> None:
    """Raises: UsageError when the architecture takes other labels or fewer domains than the data has, or pairs where it
    has none.
    """
    name, kinds = plan.entry.name, sorted(plan.model.abilities.labels)
    most = plan.model.abilities.domains
    if plan.model.abilities.translate and 0 < most < len(spec.domains):
        raise UsageError(
            f"{name} translates between {most} domains, and {plan.data.name} has {len(spec.domains)}: "
            f"{', '.join(spec.domains)}; name those to take, such as --domains {','.join(spec.domains[:most])}."
        )
    own, alone = plan.data, spec.label == "none" and not spec.domains
    if plan.model.abilities.translate and alone and own.width and own.width == 2 * (own.height or 0):
        raise UsageError(
            f"{name} translates between domains, and {own.name} has none; its pictures are twice as wide as high. "
            "If each shows a pair A|B, add it so: ganzoo data add NAME SOURCE --pairs halves."
        )
    if plan.model.abilities.pairs and not spec.paired:
        raise UsageError(
            f"{name} learns from pairs, and {plan.data.name} does not say which of its images belong together; add it "
            "so: `ganzoo data add NAME SOURCE --pairs halves` (pictures A|B), or two folders with `--pairs names`."
        )
    if kinds and spec.label not in ("none", *kinds):
        first = f", the first in the column {spec.label_names[0]!r}" if spec.columns else ""
        raise UsageError(
            f"{name} takes labels of the kind {' or '.join(kinds)}, and {plan.data.name} has those of the kind "
            f"{spec.label}{first}; choose another architecture, or add the data with other labels."
        )


def check_networks(plan: Plan, spec: DataSpec) -> None:
    """Builds every stage's model without memory: its architecture refuses what it cannot do, a stage must not make
    other networks than the first, and the batches must split evenly and fit into memory.
    """
    check_data(plan, spec)
    shapes = []
    for number, (stage, (config, settings)) in enumerate(zip(plan.stages, plan.by_stage, strict=True), 1):
        model = weightless(plan.model, config, spec)
        if settings.recompute and not model.abilities.recompute:
            san = " with --san" if getattr(config, "san", False) else ""
            raise UsageError(f"The networks of {plan.entry.name} cannot be computed again{san}; leave out --recompute.")
        freeze(model, settings.freeze)
        for frozen in frozen_in(model):
            located(frozen.weights)
        first = model.batch_size(Progress(0, 0, 0, 0, 1)) or settings.batch_size
        check_split(first, settings.processes, settings.accumulate)
        shapes.append({name: tensor.shape for name, tensor in model.state_dict().items()})
        if shapes[-1] != shapes[0]:
            names = ", ".join("--" + name.replace("_", "-") for name in stage.changes)
            raise UsageError(f"Stage {number} changes the networks' shape ({names}), which cannot change in a run.")
    memory_needed(plan, spec)
