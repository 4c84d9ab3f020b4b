"""`ganzoo plugins`: alone it lists them; its commands have modules of their own."""

from __future__ import annotations

from typing import Any

import click

from ganzoo.cli.framework import Group
from ganzoo.cli.screen import console, print_json, table
from ganzoo.plugins import Plugin, catalogue

COMMANDS = {
    "new": ("Commands", "ganzoo.cli.plugins_new:new", "Write a plugin of your own to begin with."),
}


@click.group("plugins", cls=Group, lazy=COMMANDS)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List the installed plugins, working or not.

    For each: its name, the distribution it came with, and what it offers. One that does not work stands in red, with
    the reason; it takes nothing else down. GANZOO_PLUGINS=a,b loads those alone.
    """
    if ctx.invoked_subcommand is not None:
        return
    found = catalogue().plugins
    if as_json:
        print_json([_facts(plugin) for plugin in found])
        return
    if not found:
        click.echo("No plugin is installed or loaded; is GANZOO_PLUGINS set?")
        return
    shown = table(("plugin", "module", "from", "offers"), ())
    for plugin in found:
        origin = f"{plugin.distribution} {plugin.version}"
        offers = plugin.error or _offers(plugin) or ", ".join(plugin.hooks)
        shown.add_row(plugin.name, plugin.module, origin, offers, style="red" if plugin.error else "")
    console().print(shown)


def _facts(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "module": plugin.module,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "status": "broken" if plugin.error else "ok",
        "reason": plugin.error,
        "hooks": plugin.hooks,
        "offers": [{"kind": entry.kind, "name": entry.name} for entry in plugin.entries],
    }


def _offers(plugin: Plugin) -> str:
    """Such as ``architecture dcgan; recipe report-anime``."""
    kinds: dict[str, list[str]] = {}
    for entry in plugin.entries:
        kinds.setdefault(entry.kind, []).append(entry.name)
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items())
