"""`ganzoo show`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import TRAINER, ArchitectureCommand, named_architecture, written
from ganzoo.cli.screen import console, print_json, table
from ganzoo.errors import UsageError, nearest

if TYPE_CHECKING:
    from ganzoo.architecture import Architecture, DataSpec
    from ganzoo.plugins import Entry
    from ganzoo.settings import Settings


@click.command(
    "show",
    cls=ArchitectureCommand,
    finder=named_architecture,
    examples=("ganzoo show dcgan", "ganzoo show dcgan --resolution 128 --width-g 32"),
)
@click.argument("architecture", metavar="ARCH")
@click.option("--preset", metavar="NAME", help="Show it with this preset.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def show(architecture: str, preset: str | None, as_json: bool, **given: Any) -> None:
    """Show an architecture: options, presets, sizes, recipes.

    ARCH is a name that `ganzoo list` gives. Options and --preset change what the networks' sizes are counted for.
    """
    from ganzoo.plugins import find

    entry = find("architecture", architecture)
    facts = describe(entry, preset, {name: value for name, value in given.items() if value is not None})
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def describe(entry: Entry, preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that is to be said of an architecture with the options given."""
    from ganzoo.plan import load_architecture, option_table
    from ganzoo.settings import BY_ARCHITECTURE
    from ganzoo.spec import options

    model, card = load_architecture(entry), entry.card
    config, settings = configured(entry, model, preset, given)
    own = set(options(model.Config)) - set(BY_ARCHITECTURE)
    data = example_data(entry, model, settings)
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
        "presets": [{"name": name, "options": dict(row)} for name, row in model.presets.items()],
        "parameters": parameters(model, config, data),
        "counted_for": list(data.shape),
        "recipes": [{"name": each.name, "summary": each.card.summary} for each in _recipes(entry)],
        "readme": _readme(entry),
    }


def configured(
    entry: Entry, model: type[Architecture], preset: str | None, given: Mapping[str, Any]
) -> tuple[Any, Settings]:
    """Config and settings with a preset and options applied, for no data in particular. Raises: UsageError."""
    from ganzoo.plan import apply_options, option_table
    from ganzoo.settings import Settings
    from ganzoo.spec import options

    if preset is not None and preset not in model.presets:
        known = nearest(preset, model.presets) if model.presets else "it has none at all."
        raise UsageError(f"{entry.name} has no preset {preset!r}; {known}")
    defaults = option_table(model)
    settings = Settings(**{name: defaults[name].default for name in options(Settings)})
    row = model.presets[preset] if preset else {}
    config, settings = apply_options(entry.name, model.Config(), settings, row)
    return apply_options(entry.name, config, settings, given)


def example_data(entry: Entry, model: type[Architecture], settings: Settings) -> DataSpec:
    """Data such as the architecture is made for: of the size and channels asked, else of those it is tested at."""
    from ganzoo.architecture import DataSpec
    from ganzoo.settings import parse_resolution

    card = entry.card
    classes = tuple(map(str, range(10))) if model.conditional else ()
    domains = ("A", "B") if "translation" in card.tasks else ()
    if not card.resolutions:
        return DataSpec((2,), classes, domains)
    asked = settings.resolution or (64 if 64 in card.resolutions else card.resolutions[0])
    channels = settings.channels or max((c for c in card.channels if c <= 3), default=3)
    return DataSpec((channels, *parse_resolution(asked)), classes, domains)


def parameters(model: type[Architecture], config: Any, data: DataSpec) -> dict[str, int]:
    """Trainable parameters of each network, counted without giving them memory. Raises: UsageError."""
    import torch

    from ganzoo.architecture import parameter_counts

    with torch.device("meta"):
        return parameter_counts(model(config, data))


def _recipes(entry: Entry) -> list[Entry]:
    from ganzoo.plugins import entries

    names = (entry.name, entry.full_name)
    return [recipe for recipe in entries("recipe") if recipe.card.architecture in names]


def _readme(entry: Entry) -> str | None:
    """Where the plugin's own page lies: README.md beside its module."""
    from ganzoo.plugins import catalogue

    for plugin in catalogue().plugins:
        if entry in plugin.entries:
            spec = importlib.util.find_spec(plugin.module)
            page = Path(spec.origin).with_name("README.md") if spec and spec.origin else None
            return str(page) if page and page.exists() else None
    return None


def _print(facts: dict[str, Any]) -> None:
    out = console()
    out.print(f"{facts['title']} ({facts['year']}), {facts['paper']}", style="bold")
    out.print(facts["summary"])
    sizes = ", ".join(map(str, facts["resolutions"])) or "no images"
    channels = ", ".join(map(str, facts["channels"]))
    for label, text in (
        ("tasks", ", ".join(facts["tasks"])),
        ("tested at", f"{sizes}; channels {channels}"),
        ("from", f"{facts['distribution']} {facts['version']}, licence {facts['licence']}"),
        ("read more", facts["readme"]),
    ):
        if text:
            out.print(f"  {label:<10} {text}", soft_wrap=True)
    shape = "×".join(map(str, facts["counted_for"]))
    counts = facts["parameters"]
    rows = [*counts.items(), ("together", sum(counts.values()))] if len(counts) > 1 else list(counts.items())
    out.print(f"\nParameters, for data of {shape}", style="bold")
    width = max((len(name) for name, _ in rows), default=0)
    for name, count in rows:
        out.print(f"  {name:<{width}} {count:>13,}")
    for group, title in (("architecture", f"Options of {facts['title']}"), ("trainer", TRAINER)):
        out.print(f"\n{title}", style="bold")
        out.print(_option_table([row for row in facts["options"] if row["group"] == group]))
    if any(row["value"] != row["default"] for row in facts["options"]):
        out.print("* not the default")
    _print_rows("Presets", [(row["name"], _typed(row["options"])) for row in facts["presets"]])
    _print_rows("Recipes", [(row["name"], row["summary"]) for row in facts["recipes"]])


def _option_table(rows: list[dict[str, Any]]) -> Any:
    cells = []
    for row in rows:
        kind, value = row["type"].replace(" ", ""), written(row["value"])
        if row["group"] == "trainer":  # where None means that the help's default holds
            kind, value = kind.removesuffix("|none"), "" if row["value"] is None else value
        changed = "*" if row["value"] != row["default"] else ""
        cells.append(("--" + row["name"].replace("_", "-"), kind, value + changed, row["help"]))
    return table(("option", "type", "value", "what it is"), cells)


def _print_rows(title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        out = console()
        out.print(title, style="bold")
        for name, text in rows:
            out.print(f"  {name}: {text}")


def _typed(options: Mapping[str, Any]) -> str:
    return " ".join(f"--{name.replace('_', '-')} {written(value)}" for name, value in options.items())
