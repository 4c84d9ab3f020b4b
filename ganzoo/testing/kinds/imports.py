"""A plugin's module: imported quickly and quietly, in a fresh process, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ganzoo.catalogue.catalogue import Plugin
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.probes.subprocess import python

# It prints: a check of its own says so. It takes long: so does all on a busy machine. An older contract: it is read.
REMARKED_ELSEWHERE = ("it prints", "it takes", "it is made for an older ganzoo")
ADVICE = "ganzoo imports every plugin that is installed whenever it lists the zoo"


def load_checks(plugin: Plugin, whole: bool = True) -> Iterator[Check]:
    """Every check of a plugin's module.

    Args:
        whole: False for a single file, which is called by its path, and may import what it likes: nobody imports it
            before it is named.
    """
    yield Check("loads", plugin.name, "", partial(check_loads, plugin), "plugin")
    for promise, check in PROMISES.items():
        if whole or promise != "loads without torch":
            yield Check(promise, plugin.name, "", partial(check, plugin.module if whole else plugin.name), "plugin")


def check_loads(plugin: Plugin) -> None:
    """It is imported, its hooks are known, its cards are sound, and ganzoo has nothing to put right after it."""
    require(not plugin.error, f"{plugin.name} does not work: {plugin.error}.")
    others = [remark for remark in plugin.remarks if not remark.startswith(REMARKED_ELSEWHERE)]
    require(not others, f"{plugin.name} works, but {'; '.join(others)}.")


def check_torch(module: str) -> None:
    """torch is not imported with it."""
    found = _loaded(module)
    where = next(iter(found["torch"]), "")
    require(
        not found["imported"],
        f"Importing {module} imports torch{where}, which takes a second or two, and {ADVICE}. Move what needs it to "
        'a module of its own, which the card names as "module:Class".',
    )


def check_network(module: str) -> None:
    """The network is left alone."""
    found = _loaded(module)["network"]
    require(not found, f"Importing {module} reaches for {_first(found)}, and {ADVICE}; do it when it is first needed.")


def check_files(module: str) -> None:
    """Nothing is written, and no program started that might."""
    found = _loaded(module)
    written, programs = found["files"], found["programs"]
    require(not written, f"Importing {module} writes {_first(written)}, and {ADVICE}; do it when it is first needed.")
    require(not programs, f"Importing {module} starts {_first(programs)}, and {ADVICE}; do it when it is first needed.")


def check_prints(module: str) -> None:
    """Nothing is printed."""
    text = _loaded(module)["printed"]
    require(
        not text,
        f"Importing {module} prints {text[:60]!r}, and {ADVICE}: that spoils what programs read. Take the print out; "
        "a warning belongs where something is done.",
    )


def _first(found: list[str]) -> str:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return "".join(found[:1]) + more


@cache
def _loaded(module: str) -> dict[str, Any]:
    """What importing a module and asking its hooks did. Raises: NotChecked where it fails."""
    with TemporaryDirectory(prefix="ganzoo-check-") as folder:
        report = Path(folder) / "report.json"
        done = python("-m", "ganzoo.testing.probes.import_probe", module, report, folder=folder)
        if not report.exists():
            last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise NotChecked(f"{module} cannot be imported ({last}); see the check 'loads'.")
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    if found["error"]:
        raise NotChecked(f"{module} cannot be imported ({found['error']}); see the check 'loads'.")
    return {**found, "printed": done.stdout + done.stderr}


PROMISES: dict[str, Callable[[str], None]] = {
    "loads without torch": check_torch,
    "loads without network": check_network,
    "loads without writing": check_files,
    "loads without printing": check_prints,
}
