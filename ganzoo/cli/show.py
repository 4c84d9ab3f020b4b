"""`ganzoo show`."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping
from typing import Any

import click

from ganzoo.cli.options import ArchitectureCommand, json_option, named_architecture
from ganzoo.cli.output import Table, console, fact, print_json, table
from ganzoo.contract.options import command_words, typed

INDENT = " " * 6  # of what is said below a name


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
            fact(f"  {label}", text, 12)
    shape = "×".join(map(str, facts["counted_for"]))
    counts = facts["parameters"]
    rows = [*counts.items(), ("together", sum(counts.values()))] if len(counts) > 1 else list(counts.items())
    out.print(f"\nParameters, for data of {shape}", style="bold")
    width = max((len(name) for name, _ in rows), default=0)
    for name, count in rows:
        out.print(f"  {name:<{width}} {count:>13,}")
    for row in facts["frozen"]:
        out.print(f"  pretrained {row['name']}, licence {row['licence']}, {row['address'] or 'given by hand'}")
    out.print()
    for group, title in (("architecture", f"Options of {facts['title']}"), ("trainer", "Options of the trainer")):
        out.print(title, style="bold")
        _option_table([row for row in facts["options"] if row["group"] == group]).print()
    if any(row["value"] != row["default"] for row in facts["options"]):
        out.print("* not the default\n")
    defaults = {row["name"]: typed(row["default"]) for row in facts["options"]}
    _print_named(
        "Presets", [(row["name"], row["summary"], _typed(row["options"], defaults)) for row in facts["presets"]]
    )
    _print_named("Recipes", [(row["name"], row["summary"], []) for row in facts["recipes"]])


def _option_table(rows: list[dict[str, Any]]) -> Table:
    cells = []
    for row in rows:
        kind, value = row["type"].replace(" ", ""), typed(row["value"])
        if row["group"] == "trainer":  # where None means that the help's default holds
            kind, value = kind.removesuffix("|none"), "" if row["value"] is None else value
        changed = "*" if row["value"] != row["default"] else ""
        cells.append(("--" + row["name"].replace("_", "-"), kind, value + changed, row["help"]))
    return table(("option", "type", "value", "what it is"), cells)


def _print_named(title: str, rows: list[tuple[str, str, list[str]]]) -> None:
    """Each name with its sentence, and below it what one would type in its place; no option is torn from its value."""
    if not rows:
        return
    out = console()
    out.print(title, style="bold")
    for name, summary, options in rows:
        told = f"{name}: {summary or shlex.join(options) or 'the defaults'}"
        out.print(textwrap.fill(told, out.width, initial_indent="  ", subsequent_indent=INDENT, break_on_hyphens=False))
        if summary and options:
            pairs = shlex.join(options).replace(" ", "\0").replace("\0--", " --")
            lines = textwrap.wrap(pairs, out.width - len(INDENT), break_long_words=False, break_on_hyphens=False)
            out.print("\n".join(INDENT + line.replace("\0", " ") for line in lines), soft_wrap=True)
    out.print()


def _typed(options: Mapping[str, Any], defaults: Mapping[str, str]) -> list[str]:
    """What of a preset is not the default, as words of the command line."""
    return command_words({name: value for name, value in options.items() if typed(value) != defaults.get(name)})
