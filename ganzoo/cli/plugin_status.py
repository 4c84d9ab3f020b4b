"""What listings say of plugins that do not work as they should, and of those that GANZOO_PLUGINS leaves out."""

from __future__ import annotations

from ganzoo.catalogue.catalogue import catalogue
from ganzoo.cli.output import echo, say

STYLES = {"ok": "", "warning": "yellow", "ambiguous": "red", "broken": "red"}


def say_trouble() -> None:
    """A line for each plugin that is broken, or that does what it should not."""
    for plugin in catalogue().plugins:
        if plugin.reason:
            say(f"T{str(plugin)[1:]}: {plugin.reason}.", STYLES[plugin.status])


def say_how_many_fail() -> None:
    """One line for the plugins that do not work, which `ganzoo plugins` names with the reasons."""
    failing = sum(bool(plugin.error) for plugin in catalogue().plugins)
    if failing:
        say(
            f"{failing} plugin{'s' * (failing > 1)} {'do' if failing > 1 else 'does'} not work; see `ganzoo plugins`.",
            "red",
        )


def say_left_out() -> None:
    """What GANZOO_PLUGINS does, where it is set."""
    zoo = catalogue()
    if zoo.left_out:
        echo(f"GANZOO_PLUGINS leaves out {zoo.left_out} of {zoo.left_out + len(zoo.plugins)} plugins.")
    if zoo.unknown:
        echo(f"GANZOO_PLUGINS names {', '.join(sorted(zoo.unknown))}, which is no plugin here.")
