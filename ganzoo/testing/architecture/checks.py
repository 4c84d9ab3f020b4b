"""An architecture as its card has it: complete, and built at every size and with every preset that it promises."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ganzoo.catalogue.catalogue import Entry
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.cards import ArchitectureCard
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.networks import parameter_counts, weightless
from ganzoo.contract.options import options
from ganzoo.errors import UsageError
from ganzoo.plan.describe import example_data, example_items
from ganzoo.plan.options import preset_row, with_preset
from ganzoo.testing.architecture import outputs, training, upgrade
from ganzoo.testing.architecture.cases import TASKS, Case, cases, config_of, on_meta, spec_of
from ganzoo.testing.architecture.flips import check_options
from ganzoo.testing.check import Check, CheckFailed, NotChecked, require
from ganzoo.testing.kinds.cards import check_card

PROMISES = {**training.PROMISES, **outputs.PROMISES}
BESIDE = ("trains", "players", "resumes", "samples", "saves", "labels matter", "abilities")  # of special data
SINCE_2 = ("comparing loss", "names", "protocols")  # what contract 1 did not ask


def architecture_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of an architecture; `name` is what it is called in them.

    One that cannot even be loaded or built small has two, "card" and "builds", which raises the reason.
    """
    try:
        model = load_architecture(entry)
    except Exception as error:
        yield Check("card", name, "", partial(check_card, entry))
        yield Check("builds", name, "", partial(_raise, error))
        return
    yield Check("card", name, "", partial(check_architecture_card, entry, model))
    try:
        found = list(cases(entry, model))
    except Exception as error:
        yield Check("builds", name, "", partial(_refuse, entry, model, error))
        return
    yield Check("builds", name, "", partial(check_builds, entry, model))
    yield Check("presets", name, "", partial(check_presets, entry, model))
    if found and entry.card.api >= 2:
        yield Check("options", name, "", partial(check_options, found))
    if found and upgrade.has_history(model):
        yield Check("earlier versions", name, "", partial(upgrade.check_earlier, found[0]))
    for case in found:
        for promise, check in PROMISES.items():
            if not _exempt(promise, case):
                yield Check(promise, name, str(case), partial(check, case))


def _exempt(promise: str, case: Case) -> bool:
    """Whether a promise makes no sense for a case."""
    return (
        (promise == "labels matter" and case.task != "conditional")
        or (promise == "latents" and case.task == "translation")
        or (promise in SINCE_2 and case.entry.card.api < 2)
        or (bool(case.beside) and promise not in BESIDE)
    )


def _raise(error: Exception) -> None:
    raise error


def _refuse(entry: Entry, model: type[Architecture], error: Exception) -> None:
    """Raises: the error of building it, unless the card is why."""
    try:
        check_architecture_card(entry, model)
    except CheckFailed as fault:
        raise NotChecked(f"It cannot be built; see the check 'card' ({fault})") from error
    raise error


def counts(entry: Entry) -> dict[str, int]:
    """Parameters of each network, of the architecture as it is without options; {} where it cannot be built so."""
    try:
        model = load_architecture(entry)
        config, settings = with_preset(entry.name, model, None)
        return parameter_counts(weightless(model, config, example_data(entry, model, config, settings)))
    except Exception:  # whatever it is, a check says it
        return {}


def check_architecture_card(entry: Entry, model: type[Architecture]) -> None:
    """The card is complete, and the class keeps what its tasks promise."""
    check_card(entry)
    card: ArchitectureCard = entry.card
    unknown = set(card.tasks) - set(TASKS)
    require(not unknown, f"The card names the task {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}.")
    require(bool(card.tasks), f"The card names no task; there are {', '.join(TASKS)}.")
    labelled = bool(model.abilities.labels) or "conditional" in options(model.Config)
    require(
        labelled or "conditional" not in card.tasks,
        "The card promises labels; let its abilities say labels=frozenset({'class'}), or subclass ConditionalConfig.",
    )
    overridden = model.abilities.translate
    require(
        overridden or "translation" not in card.tasks, "The card promises translation; define translate(images, to)."
    )
    whole = all(isinstance(side, int) and side > 0 for side in card.resolutions)
    require(whole, f"The card's resolutions {card.resolutions!r} must be heights in pixels, such as (32, 64).")
    held = all(isinstance(length, int) and length > 0 for length in card.dimensions)
    require(held, f"The card's dimensions {card.dimensions!r} must be lengths of vectors, such as (2,).")
    right = all(count in (1, 3, 4) for count in card.channels) and bool(card.channels or not card.resolutions)
    require(right, f"The card's channels {card.channels!r} must be of 1 (grey), 3 (colour) and 4 (with alpha).")


def check_builds(entry: Entry, model: type[Architecture]) -> None:
    """It is built at every resolution and channel count of its card, by its defaults or by a preset for that size."""
    for task in sorted(entry.card.tasks):
        for side in entry.card.resolutions:
            fitting = [row for row in model.presets.values() if str(row.get("resolution")) == str(side)]
            for channels in entry.card.channels:
                _build_first(entry, model, [{}, *fitting], [spec_of(task, (channels, side, side), model)], task)


def check_presets(entry: Entry, model: type[Architecture]) -> None:
    """Every preset builds at its own resolution, or at one of the card's, or for points or signals; what is said of
    presets is said of those there are, in a line each.
    """
    for name, text in model.preset_summaries.items():
        require(name in model.presets, f"preset_summaries has {name!r}, which is no preset.")
        lined = isinstance(text, str) and text.isprintable() and bool(text)
        require(lined, f"preset_summaries has {text!r} for {name!r}, which is not one line of text.")
    for name in model.presets:
        row = preset_row(entry.name, model, name)
        sides = [int(row["resolution"])] if row.get("resolution") else sorted(entry.card.resolutions)
        channels = [int(row["channels"])] if row.get("channels") else sorted(entry.card.channels, reverse=True)
        shapes: list[tuple[int, ...]] = [(count, side, side) for side in sides for count in channels]
        tasks = [task for task in TASKS if task in entry.card.tasks] or [TASKS[0]]
        items = [("image", shape) for shape in shapes] + example_items(entry, model)
        specs = [spec_of(task, shape, model, modality) for task in tasks for modality, shape in items]
        _build_first(entry, model, [dict(row)], specs)


def _build_first(
    entry: Entry, model: type[Architecture], rows: list[Any], specs: list[DataSpec], task: str | None = None
) -> None:
    """Builds one of the rows on one of the specs. Raises: CheckFailed with the first refusal."""
    refusals = []
    for row in rows:
        for spec in specs:
            try:
                on_meta(Case(entry, "", model, config_of(entry, model, row, spec.shape, task), spec))
            except UsageError as error:
                refusals.append(str(error))
                continue
            return
    raise CheckFailed(f"{refusals[0]} The card or the preset says that it can.")
