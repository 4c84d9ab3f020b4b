"""Run events: a whole tiny run, trained and taken up again in a process of its own that has this plugin alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ganzoo.catalogue.catalogue import Entry, Plugin
from ganzoo.contract.options import options
from ganzoo.errors import GanzooError
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.kinds.cards import check_card
from ganzoo.testing.probes.subprocess import python

PLACES = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA")


def event_checks(plugin: Plugin, name: str) -> Iterator[Check]:
    """Every check of a module that hears of runs."""
    who = _called(plugin.distribution, plugin.name)
    yield Check("survives a run", name, "", partial(check_survives, who, ""), "logger")
    yield Check("writes inside the run", name, "", partial(check_writes, who, ""), "logger")


def logger_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a logger of the catalogue; one that has the option `mode` is checked offline."""
    spec = entry.full_name + _offline(entry)
    yield Check("card", name, "logger", partial(check_card, entry), "logger")
    plugin = _called(entry.distribution, entry.plugin)
    yield Check("survives a run", name, "logger", partial(check_survives, plugin, spec, entry), "logger")
    if not entry.card.writes:
        yield Check("writes inside the run", name, "logger", partial(check_writes, plugin, spec), "logger")


def _called(distribution: str, plugin: str) -> str:
    """What GANZOO_PLUGINS calls it; a single file, which that does not know, is its path."""
    return plugin if plugin.endswith(".py") else f"{distribution}:{plugin}"


def _offline(entry: Entry) -> str:
    """The option that keeps a logger off the network, as in ``":mode=offline"``, where it has one."""
    try:
        mode = options(entry.load()).get("mode")
    except (GanzooError, TypeError):  # which the run will say
        return ""
    return ":mode=offline" if mode and "offline" in mode.choices else ""


def check_survives(plugin: str, logger: str, entry: Entry | None = None) -> None:
    """It hears all of a run, and of its going on, and raises nothing."""
    if entry is not None:
        options(entry.load())
    complaints = _heard(plugin, logger)["complaints"]
    require(
        not complaints,
        f"{' '.join(complaints)} Training goes on without it. A run has no value, no samples or no end when it is "
        "stopped early; ask before you use one.",
    )


def check_writes(plugin: str, logger: str) -> None:
    """Nothing is written outside the run's folder."""
    outside = _heard(plugin, logger)["outside"]
    require(
        not outside,
        f"It writes {', '.join(outside[:3])}; keep everything below run.path, where a run is found, moved and deleted "
        "whole. Where it must be elsewhere, say so: in `writes` of a LoggerCard.",
    )


@cache
def _heard(plugin: str, logger: str) -> dict[str, Any]:
    """What came of the run: complaints about the plugin, and files that it wrote outside the run's folder."""
    with TemporaryDirectory(prefix="ganzoo-check-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve()
        home, report = folder / "home", folder / "report.json"
        home.mkdir()
        single = plugin.endswith(".py")
        done = python(
            "-m", "ganzoo.testing.probes.run_probe", folder / "run", report, logger, *([plugin] if single else []),
            folder=home, GANZOO_HOME=str(folder / "ganzoo"), GANZOO_PLUGINS="" if single else plugin,
            MPLCONFIGDIR=str(folder / "matplotlib"), **dict.fromkeys(PLACES, str(home)),
        )  # fmt: skip
        if not report.exists():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return {"complaints": [f"The process that trained the run ended with {done.returncode}: {last}"],
                    "outside": []}  # fmt: skip
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        left = [str(file.relative_to(home)) for file in home.rglob("*") if file.is_file()]
        found["outside"] = sorted({*found["outside"], *(f"~{os.sep}{name}" for name in left)})
    if found["refused"]:
        raise NotChecked(found["refused"])
    return found
