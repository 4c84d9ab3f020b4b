"""`ganzoo show`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ganzoo.cli.options import ArchitectureCommand, json_option, named_architecture
from ganzoo.cli.output import Table, console, print_json, table
from ganzoo.contract.options import command_words, typed


@click.command(
    "show",
    cls=ArchitectureCommand,
    finder=named_architecture,
    examples=("ganzoo show dcgan", "ganzoo show dcgan --resolution 128 --width-g 32"),
)
@click.argument("architecture", metavar="ARCH")
@click.option("--preset", metavar="NAME", help="Show it with this preset.")
@json_option("text")
def show(architecture: str, preset: str | None, as_json: bool, **given: Any) -> None:
    """Show an architecture: options, presets, sizes, recipes.

    ARCH is a name that `ganzoo list` gives, or a file such as ./my_gan.py. Options and --preset change what the
    networks' sizes are counted for.
    """
    import ganzoo

    facts = ganzoo.describe(architecture, preset=preset, **given)
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _print(facts: dict[str, Any]) -> None:
    out = console()
    out.print(f"{facts['title']} ({facts['year']}), {facts['paper']}", style="bold")
    out.print(facts["summary"])
    sizes, channels = (", ".join(map(str, facts[key])) for key in ("resolutions", "channels"))
    for label, text in (
        ("tasks", ", ".join(facts["tasks"])),
        ("tested at", f"{sizes}; channels {channels}" if sizes else "no images"),
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
    for row in facts["frozen"]:
        out.print(f"  pretrained {row['name']}, licence {row['licence']}, {row['address'] or 'given by hand'}")
    for group, title in (("architecture", f"Options of {facts['title']}"), ("trainer", "Options of the trainer")):
        out.print(f"\n{title}", style="bold")
        _option_table([row for row in facts["options"] if row["group"] == group]).print()
    if any(row["value"] != row["default"] for row in facts["options"]):
        out.print("* not the default")
    defaults = {row["name"]: typed(row["default"]) for row in facts["options"]}
    _print_rows("Presets", [(row["name"], _said(row["summary"], row["options"], defaults)) for row in facts["presets"]])
    _print_rows("Recipes", [(row["name"], row["summary"]) for row in facts["recipes"]])


def _option_table(rows: list[dict[str, Any]]) -> Table:
    cells = []
    for row in rows:
        kind, value = row["type"].replace(" ", ""), typed(row["value"])
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


def _said(summary: str, options: Mapping[str, Any], defaults: Mapping[str, str]) -> str:
    """What a preset is for, and what one would type in its place: what is not the default."""
    changed = {name: value for name, value in options.items() if typed(value) != defaults.get(name)}
    return " ".join(filter(None, (summary, " ".join(command_words(changed))))) or "the defaults"
