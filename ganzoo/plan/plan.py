"""What a run will be, settled before anything is written: architecture, data, every option, the stages.

Precedence: an option given, then the preset's, then the architecture's default, then the trainer's.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ganzoo import data
from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, find, written_by
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.modalities import modality_card, modality_class
from ganzoo.catalogue.single_file import named
from ganzoo.catalogue.upgrade import upgraded
from ganzoo.contract import renamed
from ganzoo.contract.architecture import Architecture, check_modality
from ganzoo.contract.labels import find_label
from ganzoo.contract.networks import weightless
from ganzoo.contract.options import options
from ganzoo.contract.settings import (
    AUTO,
    DEFAULT_EPOCHS,
    DEFAULT_IMAGES,
    FIXED_IN_A_RUN,
    LENGTHS,
    OF_THE_MACHINE,
    Settings,
    Stage,
    parse_resolution,
)
from ganzoo.data.source import Sizes, check_chosen, trained_on
from ganzoo.devices import pick_device
from ganzoo.errors import UsageError
from ganzoo.plan.lookup import find_architecture
from ganzoo.plan.memory import largest_batch
from ganzoo.plan.options import apply_options, preset_row, with_preset
from ganzoo.plan.recipe import recipe_of
from ganzoo.plan.spec import likely_spec

SLACK = 0.9  # of what fits into memory, for `--batch-size auto`: what is free changes


@dataclass(frozen=True)
class Plan:
    """A run to be: everything resolved and checked, nothing written yet."""

    entry: Entry
    model: type[Architecture]
    config: Any
    settings: Settings
    data: data.Info
    size: tuple[int, int] | None
    stages: tuple[Stage, ...]
    preset: str | None = None
    recipe: str | None = None
    notes: tuple[str, ...] = ()
    label: str | None = None  # of the only images trained on

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that `--domains` chose, in order; () for those that the data has."""
        return _chosen(self.settings)

    @property
    def sizes(self) -> Sizes:
        """Of domains that keep their own sizes, these, in proportion to `size`, the first one's; else empty."""
        return _own_sizes(self.model, self.settings, self.data)

    def at_stage(self, index: int) -> tuple[Any, Settings]:
        """Config and settings in force in a stage: the changes of every stage up to it, applied in order."""
        config, settings = self.config, self.settings
        for stage in self.stages[: index + 1]:
            config, settings = apply_options(self.entry.name, config, settings, stage.changes)
            if stage.rollback is not None:
                settings = dataclasses.replace(settings, seed=self.settings.seed + stage.rollback.seed)
        return config, settings

    @property
    def by_stage(self) -> list[tuple[Any, Settings]]:
        """Config and settings in force in each stage."""
        return [self.at_stage(index) for index in range(len(self.stages))]

    def rate_at(self, index: int) -> float:
        """The factor of the rollbacks up to a stage on its rates."""
        return math.prod(stage.rollback.rate for stage in self.stages[: index + 1] if stage.rollback is not None)


def make_plan(
    architecture: str,
    data_name: str,
    given: Mapping[str, Any],
    preset: str | None = None,
    stages: tuple[Mapping[str, Any], ...] = (),
    recipe: str | None = None,
    label: str | int | None = None,
    typed: Collection[str] = (),
    per_class: bool = False,
) -> Plan:
    """Resolves names and options into a `Plan`.

    Args:
        given: options by name, of the architecture or of the trainer, as strings or values; None is "not given".
        stages: a recipe's; () for one stage as long as the options say.
        label: name, or position as ``"#2"``, of the only label to train on.
        typed: those of the options that the user wrote himself, not a recipe.
        per_class: it is trained once for each label, so its length is what it would be for one.
    Raises: UsageError for whatever of it cannot be.
    """
    entry = find_architecture(architecture, data_name)
    model = load_architecture(entry)
    info = data.info(data_name)
    check_modality(model, info.modality)
    config, settings = with_preset(entry.name, model, preset)
    given = {name: value for name, value in given.items() if value is not None}
    if largest := given.get("batch_size") == AUTO:
        del given["batch_size"]
    before = settings
    config, settings = apply_options(entry.name, config, settings, given)
    config = _settle_names(entry, config, typed)
    sizes = _own_sizes(model, settings, info)
    asked = {*preset_row(entry.name, model, preset), *given}
    size, notes = _size(entry, settings, info, sizes, explicit="resolution" in asked)
    load = _load_size(before, settings, size, explicit="load_size" in given)
    config, settings = apply_options(entry.name, config, settings, {"load_size": load} if load else {})
    _check_transforms(info, given)
    if label is not None:
        classes = labels_of(info, model, config, entry.name)
        label = classes[find_label(classes, label)]
    elif info.classes and "conditional" in entry.card.tasks and not takes_labels(model, config):
        notes += (f"The classes of {info.name} are not used; --conditional makes one model of all.",)
    length, note = _length(settings, entry, info, label is not None or per_class)
    plan = Plan(
        entry, model, config, settings, info, size,
        tuple(map(stage_of, stages)) or (Stage(length),), preset, recipe,
        notes if stages else notes + note, label,
    )  # fmt: skip
    if plan.domains:
        check_chosen(plan.domains, trained_on(info.domains) or info.classes, info.name)
    return _with_largest_batch(plan) if largest else plan


def _with_largest_batch(plan: Plan) -> Plan:
    """The plan with the largest batch that memory and the data hold. Raises: UsageError when that cannot be said."""
    name, settings = plan.entry.name, plan.settings
    model, device = weightless(plan.model, plan.config, likely_spec(plan)), pick_device(settings.device)
    fits, parts = largest_batch(model, settings, device), settings.accumulate * settings.processes
    if fits is None:
        raise UsageError(f"--batch-size auto cannot tell what a step of {name} takes on {device.type}; say a number.")
    fits = int(SLACK * fits)
    size = min(fits, plan.data.trained)
    size -= size % (8 * parts if size > 8 * parts else parts)
    if size < 2:
        raise UsageError(f"Not even two items of {name} fit into memory; lower --resolution or the networks' size.")
    config, settings = apply_options(name, plan.config, settings, {"batch_size": size})
    note = f"--batch-size auto: {size:,}, about what {'fits into memory' if fits < plan.data.trained else 'there is'}."
    return dataclasses.replace(plan, config=config, settings=settings, notes=(*plan.notes, note))


def _chosen(settings: Settings) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in (settings.domains or "").split(","))))


def _own_sizes(model: type[Architecture], settings: Settings, info: data.Info) -> Sizes:
    domains = _chosen(settings) or trained_on(info.domains)
    return {name: info.domain_sizes[name] for name in domains if model.abilities.sizes and name in info.domain_sizes}


def _check_transforms(info: data.Info, given: Mapping[str, Any]) -> None:
    """Raises: UsageError for what makes no sense for such items."""
    if info.modality == "image":
        return
    modality, items = modality_class(info.modality), modality_card(info.modality).items
    for name, flag, option in (("flip", "--flip", "flip"), ("crop", "--load-size", "load_size")):
        if given.get(option) and name not in modality.transforms:
            raise UsageError(f"{flag} is for images, and {info.name} has {items}; leave it out.")


def _settle_names(entry: Entry, config: Any, typed: Collection[str]) -> Any:
    """The Config with its loss, penalties and augmentations named so that no other plugin's of that name can be meant.

    Raises: UsageError where the user wrote a name that several offer.
    """
    settled = {}
    for name, kind in (("loss", "loss"), ("penalty", "penalty"), ("augment", "augmentation")):
        value = getattr(config, name, None)
        if isinstance(value, str):
            near = () if name in typed else (entry.distribution, DISTRIBUTION)
            settled[name] = "+".join(written_by(kind, part, near) for part in value.split("+"))
    return dataclasses.replace(config, **settled)


def takes_labels(model: type[Architecture], config: Any) -> bool:
    """Whether what the config makes takes labels, before there is data to make it for."""
    return bool(model.abilities.labels or getattr(config, "conditional", False))


def labels_of(info: data.Info, model: type[Architecture], config: Any, name: str) -> tuple[str, ...]:
    """The labels of a data set, to train on one at a time. Raises: UsageError when that makes no sense."""
    if takes_labels(model, config):
        raise UsageError(
            f"{name} learns all labels in one model; train it without --class and --per-class, then choose one with "
            "`ganzoo sample RUN --label LABEL`."
        )
    if not info.classes:
        raise UsageError(f"The data set {info.name} has no labels; leave out --class and --per-class.")
    return info.classes


def stage_of(given: Mapping[str, Any]) -> Stage:
    """A stage from a mapping with one length and the options that change; None is "not given". Raises: UsageError."""
    row = {renamed.option(name, options(Settings)): value for name, value in given.items() if value is not None}
    fixed = [name for name in row if name in (*FIXED_IN_A_RUN, *OF_THE_MACHINE)]
    if fixed:
        raise UsageError(f"--{fixed[0].replace('_', '-')} cannot change within a run; start a new one, with --init.")
    if row.get("batch_size") == AUTO:
        raise UsageError("--batch-size auto is decided before a run's first step; say a number for a stage.")
    lengths = {unit: row[unit] for unit in LENGTHS if unit in row}
    if len(lengths) != 1:
        raise UsageError("Say how far a stage goes, by one of --epochs, --images and --steps.")
    (unit, value), *_ = lengths.items()
    count = options(Settings)[unit].parse(value)
    return Stage({unit: count}, {name: value for name, value in row.items() if name not in LENGTHS})


def _length(
    settings: Settings, entry: Entry, info: data.Info, one_label: bool
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The length of a run of one stage, and what is to be said of it. Where nobody says one, it is so many epochs, and
    no fewer images than it takes to learn.
    """
    given = {unit: getattr(settings, unit) for unit in LENGTHS if getattr(settings, unit) is not None}
    if len(given) > 1:
        raise UsageError("Give one of --epochs, --images and --steps, not several.")
    epoch = max((info.domains[name] for name in trained_on(info.domains)), default=info.trained)
    drawn = DEFAULT_EPOCHS * (epoch // max(1, len(info.classes)) if one_label else epoch)  # labels have as many, about
    least = entry.card.smallest_length or DEFAULT_IMAGES
    if given or drawn >= least:
        return given or {"epochs": DEFAULT_EPOCHS}, ()
    items = modality_card(info.modality).items + " of a label" * one_label
    note = f"{DEFAULT_EPOCHS} epochs are {drawn:,} {items} here, so it trains for {least:,}; --images says otherwise."
    return {"images": least}, (note,)


def _size(
    entry: Entry, settings: Settings, info: data.Info, sizes: Sizes, explicit: bool
) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    """Height and width to train at, None for vectors; unless it was asked for, no larger than the data needs.

    Of domains that keep their own `sizes` those of the first.
    """
    if not info.channels:
        return None, ()
    own = (info.height, info.width) if info.height and info.width else None
    own = next(iter(sizes.values()), own)
    if settings.resolution is None:
        if own is None and info.domain_sizes:
            text = ", ".join(f"{name} {width}×{height}" for name, (height, width) in info.domain_sizes.items())
            raise UsageError(
                f"The domains of {info.name} differ in size ({text}), and {entry.name} takes one; say which, such as "
                f"--resolution {min(map(min, info.domain_sizes.values()))}."
            )
        if own is None:
            raise UsageError(f"The images of {info.name} differ in size; say --resolution.")
        return own, ()
    size = parse_resolution(settings.resolution)
    if explicit or own is None or min(own) >= min(size):
        return size, ()
    fitting = [side for side in sorted(entry.card.resolutions) if min(own) <= side < min(size)]
    if not fitting:
        return size, ()
    note = f"The images of {info.name} are {own[0]}×{own[1]}, so {entry.name} trains at {fitting[0]}×{fitting[0]}."
    return (fitting[0], fitting[0]), (note,)


def _load_size(before: Settings, settings: Settings, size: tuple[int, int] | None, explicit: bool) -> int | None:
    """The side to load images at before they are cropped to `size`; the architecture's own goes with its resolution,
    so that another resolution takes another, in proportion. Raises: UsageError when it is smaller than the size.
    """
    load = settings.load_size
    if load is None or size is None:
        return None
    if not explicit and before.resolution is not None:
        return round(load * max(size) / max(parse_resolution(before.resolution)))
    if load < max(size):
        raise UsageError(f"--load-size {load} is smaller than the {size[0]}×{size[1]} that is cut from it.")
    return load


def plan_run(
    architecture: str | None,
    dataset: str | None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    label: str | int | None = None,
    per_class: bool = False,
    **options: Any,
) -> Plan:
    """The plan of a run, or of a run for each label, with a recipe's words filled in. Raises: UsageError."""
    stages: tuple[Mapping[str, Any], ...] = ()
    rows: list[Mapping[str, Any]] = [options]
    given = options = {name: value for name, value in options.items() if value is not None}
    architecture = None if architecture is None else named(architecture)
    if recipe is not None:
        card = recipe_of(recipe)
        if architecture not in (None, card.architecture, card.architecture.rpartition(":")[2]):
            raise UsageError(f"The recipe {recipe} is for {card.architecture}, not for {architecture}.")
        architecture, dataset, preset = card.architecture, dataset or card.data, preset or card.preset
        config = load_architecture(find("architecture", architecture)).Config
        rows += [card.options, *card.stages]
        if not any(name in LENGTHS for name in given):
            written = [upgraded(config, stage, None, architecture) for stage in card.stages]
            stages = tuple({name: v for name, v in stage.items() if name not in given} for stage in written)
        options = {**upgraded(config, card.options, None, architecture), **given}
    if architecture is None or dataset is None:
        raise UsageError("Say an architecture and a data set, such as `ganzoo train dcgan anime`, or --recipe NAME.")
    plan = make_plan(architecture, dataset, options, preset, stages, recipe, label, given.keys(), per_class)
    return dataclasses.replace(plan, notes=plan.notes + _said_anew(plan.model, rows))


def _said_anew(model: type[Architecture], rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """A line for each old name of an option among the rows."""
    known = {*options(model.Config), *options(Settings)}
    older = [name for name in renamed.OPTIONS if name not in known and any(row.get(name) is not None for row in rows)]
    return tuple(f"{name} is called {renamed.option(name, known)} now." for name in older)
