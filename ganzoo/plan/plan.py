"""What a run will be, settled before anything is written: architecture, data, every option, the stages.

Precedence: an option given, then the preset's, then the architecture's default, then the trainer's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import re
import shlex
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo import data
from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, find, written_by
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.modalities import modality_card, modality_class
from ganzoo.catalogue.single_file import named
from ganzoo.catalogue.upgrade import upgraded
from ganzoo.contract import renamed
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.cards import API, RecipeCard, fault_of
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.labels import find_label
from ganzoo.contract.networks import weightless
from ganzoo.contract.options import Option, build, command_words, options, values
from ganzoo.contract.schedules import Schedule
from ganzoo.contract.settings import (
    AUTO,
    BY_ARCHITECTURE,
    DEFAULT_EPOCHS,
    DEFAULT_IMAGES,
    FIT,
    FIXED_IN_A_RUN,
    LENGTHS,
    OF_THE_MACHINE,
    Settings,
    Stage,
    parse_resolution,
)
from ganzoo.data.source import Sizes, check_chosen, size_in, trained_on
from ganzoo.devices import pick_device
from ganzoo.errors import GanzooError, UsageError, suggest, without_login
from ganzoo.files import read_text
from ganzoo.plan.memory import largest_batch
from ganzoo.plan.words import architecture_of

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

    def rate_at(self, index: int) -> float:
        """The factor of the rollbacks up to a stage on its rates."""
        return math.prod(stage.rollback.rate for stage in self.stages[: index + 1] if stage.rollback is not None)


# Options of the trainer that decide what a run becomes; the others say how it is watched and where it is computed.
DECIDING = ("batch_size", "resolution", "channels", "domains", "load_size", "flip", "ema", "seed", "freeze")


def deciding(plan: Plan, stage: int) -> dict[str, Any]:
    """The options in force in a stage that decide what it becomes, with its length, as JSON has them."""
    config, settings = plan.at_stage(stage)
    chosen = {name: value for name, value in values(settings).items() if name in DECIDING}
    found: dict[str, Any] = json.loads(json.dumps({**values(config), **chosen, **plan.stages[stage].length}))
    return found


def typed_plan(plan: Plan, stage: int = 0) -> str:
    """What one would type to train the plan up to a stage: what decides the run, without folders of this machine."""
    usual, given = plan, dict[str, Any](plan.stages[0].length)
    with contextlib.suppress(GanzooError):  # a preset, or a data set, that is here no more
        usual = make_plan(plan.entry.full_name, plan.data.name, {"steps": 1}, plan.preset)
    for mine, theirs, names in (
        (plan.config, usual.config, values(plan.config).keys()),
        (plan.settings, usual.settings, DECIDING),
    ):
        before, now = values(theirs), values(mine)
        given.update({name: now[name] for name in names if now[name] != before[name]})
    given["seed"] = plan.settings.seed
    again = [later for later in plan.stages[1 : stage + 1] if later.rollback is not None]
    given.update({"on_divergence": "rollback"} if again else {})
    chosen = {"preset": plan.preset, "class": plan.label}
    words = [plan.entry.name, plan.data.name, *command_words({k: v for k, v in chosen.items() if v} | given)]
    commands = [["ganzoo", "train", *words]]
    for later in (each for each in plan.stages[1 : stage + 1] if each not in again):
        commands.append(["ganzoo", "extend", "RUN", *command_words({**later.length, **later.changes})])
    return " && ".join(shlex.join(map(without_folders, command)) for command in commands)


def without_folders(word: str) -> str:
    """A word of a command as one may show it to others: of a file here, only its name; of an address, no password."""
    return without_login(word) if "://" in word else re.sub(r"[^=:,]*[/\\]+(?=[^/\\])", "", word).rstrip("/\\")


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
    entry = architecture_of(architecture, data_name)
    model = load_architecture(entry)
    info = data.info(data_name)
    row = preset_row(entry.name, model, preset)
    config, settings = apply_options(entry.name, model.Config(), Settings(**_defaults(model)), row)
    given = {name: value for name, value in given.items() if value is not None}
    if largest := given.get("batch_size") == AUTO:
        del given["batch_size"]
    before = settings
    config, settings = apply_options(entry.name, config, settings, given)
    config = _settle_names(entry, config, typed)
    sizes = _own_sizes(model, settings, info)
    size, notes = _size(entry, settings, info, sizes, explicit="resolution" in {*row, *given})
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
        tuple(_stage(stage) for stage in stages) or (Stage(length),), preset, recipe,
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


def read_toml(name: str, what: str, keys: Collection[str]) -> dict[str, Any]:
    """A TOML file of the user's that may have these keys. Raises: UsageError, which calls it "the `what` NAME"."""
    try:
        table = tomllib.loads(read_text(Path(name)))
    except OSError as error:
        raise UsageError(f"The {what} {name} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The {what} {name} is not a TOML file: {error}.") from error
    for key in table:
        if key not in keys:
            raise UsageError(f"The {what} {name} has a key {key!r}; {suggest(key, keys)}")
    return table


def recipe_of(name: str) -> RecipeCard:
    """A recipe by name, or read from a TOML file with the same keys.

    Raises: UsageError when there is none or the file does not say what it must.
    """
    if not name.endswith(".toml"):
        entry = find("recipe", name)
        card: RecipeCard = entry.load()
        near = (entry.distribution, DISTRIBUTION)
        return dataclasses.replace(
            card,
            architecture=written_by("architecture", card.architecture, near),
            data=data.meant(card.data, near),
        )
    table = read_toml(name, "recipe", [field.name for field in dataclasses.fields(RecipeCard)])
    missing = [key for key in ("architecture", "data") if key not in table]
    if missing:
        raise UsageError(f"The recipe {name} does not say its {missing[0]}.")
    stages, given = table.get("stages", []), table.get("options", {})
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise UsageError(f"The recipe {name} must write its stages as [[stages]] tables.")
    if not isinstance(given, dict):
        raise UsageError(f"The recipe {name} must write its options as an [options] table.")
    above = [field.name for field in dataclasses.fields(RecipeCard) if field.name in given]
    if above:
        raise UsageError(f"The recipe {name} has {above[0]} among its [options]; write it above them, by architecture.")
    defaults = {"name": Path(name).stem, "summary": "", "api": API}
    card = RecipeCard(**{**defaults, **table, "stages": tuple(stages)})
    if fault := fault_of(card):
        raise UsageError(f"The recipe {name} is not sound: {fault}.")
    return card


def option_table(model: type[Architecture]) -> dict[str, Option]:
    """Every option that training this architecture takes, its own first, with the defaults in force for it."""
    own = {name: item for name, item in options(model.Config).items() if name not in _trainers(options(model.Config))}
    defaults = _defaults(model)
    core = dict(options(Settings))
    for name, default in defaults.items():
        if default is not None:  # what the help says of the trainer's own default then holds no more
            core[name] = dataclasses.replace(
                core[name], default=default, help=core[name].help.partition("; default:")[0]
            )
    return {**own, **core}


def apply_options(name: str, config: Any, settings: Settings, given: Mapping[str, Any]) -> tuple[Any, Settings]:
    """Config and settings with options changed; a field that both have changes in both.

    Raises: UsageError for an unknown option or a value it does not take.
    """
    own, core = options(type(config)), options(Settings)
    known = {*core, *own} - (_trainers(own).keys() - {*BY_ARCHITECTURE})
    given = {renamed.option(key, known): value for key, value in given.items()}
    for key in given:
        if key not in own and key not in core:
            raise UsageError(f"{name} has no option --{key.replace('_', '-')}; {suggest(key, [*own, *core])}")
    if given.get("resolution") is not None:
        parse_resolution(given["resolution"])
    changed = {key: str(value) if key == "resolution" else value for key, value in given.items() if key in core}
    if any(key in changed for key in LENGTHS):
        changed = {**dict.fromkeys(LENGTHS), **changed}
    settings = build(Settings, changed, name, base=settings)
    shared = {theirs: getattr(settings, key) for theirs, key in _trainers(own).items() if key in changed}
    if "x" in str(shared.get("resolution", "")):
        del shared["resolution"]  # a Config's resolution is one number; the DataSpec has both
    shared = {key: value for key, value in shared.items() if not isinstance(value, Schedule)}  # the trainer's alone
    mine = {key: value for key, value in given.items() if key in own and key not in core}
    return build(type(config), {**mine, **shared}, name, base=config), settings


def data_spec(dataset: data.Dataset, size: tuple[int, int] | None) -> DataSpec:
    """What an architecture is told of a data set; `size` is what remains after cropping."""
    shape = tuple(dataset.shape)
    if size is not None:
        shape = (shape[0], *size)
    shapes = {
        name: (each[0], *size_in(name, (shape[1], shape[2]), dataset.sizes)) for name, each in dataset.shapes.items()
    }
    modality = dataset.modality
    return DataSpec(
        shape, tuple(dataset.classes), dataset.domains, modality.name,
        modality.mean, modality.spread, modality.choices, dataset.label_kind, dataset.label_names, dataset.label_scale,
        shapes, dataset.paired, dataset.class_shares,
    )  # fmt: skip


def data_channels(plan: Plan) -> int | None:
    """The channels to prepare the data with; None for the data's own, which may differ from domain to domain."""
    if plan.settings.channels or not plan.data.channels or plan.model.abilities.channels:
        return plan.settings.channels
    return min(3, plan.data.channels)


def expected_spec(plan: Plan) -> DataSpec | None:
    """What `data_spec` will say, from what is known before the data is packed; None for vectors."""
    if plan.size is None or not plan.data.channels:
        return None
    channels = plan.settings.channels or min(3, plan.data.channels)
    domains = plan.domains or trained_on(plan.data.domains)
    mixed = plan.data.domain_channels if data_channels(plan) is None else {}
    shapes = {
        name: (min(mixed.get(name, channels), channels), *size_in(name, plan.size, plan.sizes))
        for name in domains
        if name in mixed or name in plan.sizes
    }
    return DataSpec(
        shapes[domains[0]] if shapes else (channels, *plan.size), () if domains else tuple(plan.data.classes), domains,
        label=plan.data.label_kind, label_names=plan.data.label_names, paired=plan.data.paired, shapes=shapes,
    )  # fmt: skip


def likely_spec(plan: Plan) -> DataSpec:
    """What `data_spec` will say, about, from what is known before the data is packed."""
    info = plan.data
    return expected_spec(plan) or DataSpec(info.shape or (2,), info.classes, tuple(info.domains), info.modality)


def stage_of(given: Mapping[str, Any]) -> Stage:
    """A stage from a mapping with one length and the options that change. Raises: UsageError."""
    return _stage({name: value for name, value in given.items() if value is not None})


def _stage(row: Mapping[str, Any]) -> Stage:
    row = {renamed.option(name, options(Settings)): value for name, value in row.items()}
    fixed = [name for name in row if name in (*FIXED_IN_A_RUN, *OF_THE_MACHINE)]
    if fixed:
        raise UsageError(f"--{fixed[0].replace('_', '-')} cannot change within a run; start a new one, with --init.")
    if row.get("batch_size") == AUTO:
        raise UsageError("--batch-size auto is decided before a run's first step; say a number for a stage.")
    lengths = {unit: row[unit] for unit in LENGTHS if unit in row}
    if len(lengths) != 1:
        raise UsageError("A stage takes one of --epochs, --images and --steps.")
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


def _defaults(model: type[Architecture]) -> dict[str, Any]:
    """The trainer's options that the architecture's Config has a default for."""
    own = options(model.Config)
    defaults = {name: own[theirs].default for theirs, name in _trainers(own).items()}
    if defaults.get("resolution") is not None:
        defaults["resolution"] = str(defaults["resolution"])
    return defaults


def _trainers(own: Collection[str]) -> dict[str, str]:
    """Those of a Config's options that set the trainer's, and how the trainer calls them."""
    return {name: today for name in own if (today := renamed.OPTIONS.get(name, name)) in BY_ARCHITECTURE}


def preset_row(name: str, model: type[Architecture], preset: str | None) -> Mapping[str, Any]:
    """The options of a preset, none for None. Raises: UsageError when there is no such preset."""
    if preset is None:
        return {}
    if preset == FIT:
        raise UsageError(f"--preset {FIT} is for `ganzoo train` and `ganzoo plan`, of one run; name the preset here.")
    if preset not in model.presets:
        known = suggest(preset, model.presets) if model.presets else "it has none at all."
        raise UsageError(f"{name} has no preset {preset!r}; {known}")
    return model.presets[preset]


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
