"""What an architecture is, takes and weighs, as `ganzoo show` prints it."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, catalogue, entries, find
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.modalities import modality_card
from ganzoo.catalogue.single_file import FilePlugin, named
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.frozen import frozen_in
from ganzoo.contract.networks import parameter_counts, weightless
from ganzoo.contract.options import options
from ganzoo.contract.settings import BY_ARCHITECTURE, Settings, parse_resolution
from ganzoo.errors import UsageError
from ganzoo.plan.options import apply_options, option_table, with_preset
from ganzoo.plan.plan import takes_labels


def describe(architecture: str, *, preset: str | None = None, **given: Any) -> dict[str, Any]:
    """Everything that is to be said of an architecture with a preset and options: its card, every option with type,
    default, help and value, presets, recipes, and the parameters of each network, counted without making them.

    Raises: UsageError for an unknown architecture, preset or option.
    """
    entry = find("architecture", named(architecture))
    model, card = load_architecture(entry), entry.card
    given = {name: value for name, value in given.items() if value is not None}
    config, settings = apply_options(entry.name, *with_preset(entry.name, model, preset), given)
    own = set(options(model.Config)) - set(BY_ARCHITECTURE)
    data = example_data(entry, model, config, settings)
    built = weightless(model, config, data)
    return {
        "name": entry.name,
        "title": card.title,
        "year": card.year,
        "paper": card.paper,
        "summary": card.summary,
        "tasks": sorted(card.tasks),
        "resolutions": list(card.resolutions),
        "channels": list(card.channels),
        "licence": card.licence,
        "bf16": card.bf16,
        "distribution": entry.distribution,
        "version": entry.version,
        "preset": preset,
        "options": [
            {
                "name": name,
                "type": item.type_name,
                "default": item.default,
                "help": item.help,
                "value": getattr(config if name in own else settings, name),
                "group": "architecture" if name in own else "trainer",
            }
            for name, item in option_table(model).items()
        ],
        "presets": [
            {"name": name, "summary": model.preset_summaries.get(name, ""), "options": dict(row)}
            for name, row in model.presets.items()
        ],
        "parameters": parameter_counts(built),
        "frozen": [vars(frozen.weights) for frozen in frozen_in(built)],
        "counted_for": list(data.shape),
        "recipes": [
            {"name": each.name, "summary": each.card.summary}
            for each in entries("recipe")
            if each.card.architecture in (entry.name, entry.full_name)
        ],
        "readme": _readme(entry),
    }


LENGTHS_TRIED = (2, 3, 1, *range(4, 65))


def example_data(entry: Entry, model: type[Architecture], config: Any, settings: Settings) -> DataSpec:
    """Data such as the architecture is made for: of the size and channels asked, else of those it is tested at."""
    card = entry.card
    classes = tuple(map(str, range(10))) if takes_labels(model, config) else ()
    domains = ("A", "B") if "translation" in card.tasks else ()
    if not card.resolutions:
        vectors = [("point", (length,)) for length in (*card.dimensions, *LENGTHS_TRIED)]
        examples = example_items(entry, model) if model.modalities else vectors
        for name, shape in [*examples, *(vectors if "point" in model.modalities else ())]:  # the first that it takes
            with suppress(UsageError):
                weightless(model, config, spec := DataSpec(shape, classes, domains, name))
                return spec
        return DataSpec((2,), classes, domains)
    asked = settings.resolution or (64 if 64 in card.resolutions else card.resolutions[0])
    channels = settings.channels or max((c for c in card.channels if c <= 3), default=3)
    return DataSpec((channels, *parse_resolution(asked)), classes, domains)


def example_items(entry: Entry, model: type[Architecture]) -> list[tuple[str, tuple[int, ...]]]:
    """Modality and shape of items other than images that an architecture may be made for: vectors of its card's
    dimensions, and the examples of the modalities that it names, or of all that ganzoo brings where it names none.
    """
    names = [each.name for each in entries("modality") if each.distribution == DISTRIBUTION]
    examples: list[tuple[str, tuple[int, ...]]] = []
    for name in model.modalities or names:
        with suppress(UsageError):  # of a plugin that is not installed
            card = modality_card(name)
            shapes: list[tuple[int, ...]] = [(length,) for length in entry.card.dimensions if name == "point"]
            examples += [(name, shape) for shape in shapes or [card.example] if shape]
    return examples


def _readme(entry: Entry) -> str | None:
    """Where the plugin's own page lies: README.md beside its module, or in its project, installed as it stands."""
    for plugin in catalogue().plugins:
        if entry in plugin.entries and not isinstance(plugin, FilePlugin):
            spec = importlib.util.find_spec(plugin.module)
            folder = Path(spec.origin).parent if spec and spec.origin else None
            if folder and (folder / "README.md").exists():
                return str(folder / "README.md")
            if folder and (folder.parent / "pyproject.toml").exists() and (folder.parent / "README.md").exists():
                return str(folder.parent / "README.md")
    return None
