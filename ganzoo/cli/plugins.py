"""`ganzoo plugins`: alone it lists them; its commands have modules of their own."""

from __future__ import annotations

from typing import Any

import click

from ganzoo.catalogue.catalogue import KINDS, Plugin, catalogue
from ganzoo.catalogue.entry_points import unmet
from ganzoo.cli.framework import Group
from ganzoo.cli.options import json_option
from ganzoo.cli.output import print_json, table
from ganzoo.cli.plugin_status import STYLES, say_left_out

COMMANDS = {
    "new": ("Commands", "ganzoo.cli.plugins_new:new", "Write a plugin of your own to begin with."),
    "check": ("Commands", "ganzoo.cli.plugins_check:check", "Check that a plugin keeps what every plugin must."),
}


@click.group("plugins", cls=Group, lazy=COMMANDS)
@click.option(
    "--trace", is_flag=True, help="List each call of a plugin instead: its import, its hooks, how long each took."
)
@json_option()
@click.pass_context
def plugins(ctx: click.Context, trace: bool, as_json: bool) -> None:
    """List the installed plugins, working or not.

    For each: its name, the distribution it came with, its hooks and what it offers. One that does not work stands in
    red, with the reason; it takes nothing else down. One that works, but does what it should not, or whose distribution
    states a requirement that is not met here, stands in yellow.
    GANZOO_PLUGINS=a,b loads those alone, and GANZOO_TRACE=1 shows each call while it happens, also in training.
    """
    if ctx.invoked_subcommand is not None:
        return
    installed = catalogue().plugins
    for plugin in installed:
        plugin.remarks += filter(None, [unmet(plugin.distribution)])
    if as_json:
        print_json([{**_facts(plugin), **(_calls(plugin) if trace else {})} for plugin in installed])
        return
    headings = ("plugin", "from", "call", "seconds", "gave") if trace else ("plugin", "from", "status", "hooks")
    shown = table(headings, (), right=("seconds",))
    for plugin in installed:
        for row in _trace(plugin) if trace else [(plugin.status, _hooks(plugin))]:
            origin = f"{plugin.distribution} {plugin.version}"
            shown.add_row(plugin.name, origin, *row, style=STYLES[plugin.status])
    shown.print()
    say_left_out()


def _facts(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "module": plugin.module,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "status": plugin.status,
        "reason": plugin.reason,
        "hooks": plugin.hooks,
        "offers": [{"kind": entry.kind, "name": entry.name} for entry in plugin.entries],
    }


def _calls(plugin: Plugin) -> dict[str, Any]:
    return {"calls": [{"call": call.what, "seconds": call.seconds, "cards": call.cards} for call in plugin.calls]}


def _trace(plugin: Plugin) -> list[tuple[str, str, str]]:
    """What was called, the seconds it took, what it gave; the last call of a broken plugin is where it broke."""
    rows = []
    for call in plugin.calls:
        cards = "" if call.cards is None else f"{call.cards} card{'s' if call.cards != 1 else ''}"
        broke = plugin.error if call is plugin.calls[-1] else None
        rows.append((call.what, f"{call.seconds:.4f}", broke or cards))
    return rows


def _hooks(plugin: Plugin) -> str:
    """Such as ``ganzoo_architectures: dcgan; ganzoo_run_ended``, or why it does not work; and what else is to say."""
    offers: dict[str, list[str]] = {hook: [] for hook in plugin.hooks}
    for entry in plugin.entries:
        offers[KINDS[entry.kind][0]].append(entry.name)
    hooks = "; ".join(f"{hook}: {', '.join(names)}" if names else hook for hook, names in offers.items())
    return plugin.error or "\n".join([hooks, *plugin.remarks])
