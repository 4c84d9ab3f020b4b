"""The process in which a plugin is imported and its hooks asked.

`python -m ganzoo.testing.probes.import_probe MODULE|FILE REPORT`

Everything that it does is noted, with the line of the plugin that did it. Whatever ganzoo itself needs is imported
before, so that it is not taken for the plugin's.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from ganzoo.catalogue.catalogue import KINDS
from ganzoo.errors import GanzooError
from ganzoo.testing.check import explain
from ganzoo.testing.probes.audit import reached, started, written

HEAVY = "torch"


def main(module: str, report: str) -> None:
    import ganzoo.api  # noqa: F401 (what every plugin imports)

    if module.endswith(".py"):  # which may import torch, and what torch starts is not the file's doing
        importlib.import_module(HEAVY)
    home = _home(module)
    seen: dict[str, list[str]] = {"torch": [], "network": [], "files": [], "programs": []}
    noting = True

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if not noting:
            return
        if event == "import" and arguments[0] == HEAVY and HEAVY not in sys.modules:
            seen["torch"].append(_line(home))
        if _is_being_imported(HEAVY):  # it starts a program, which is not the plugin's doing
            return
        for key, sense in (("network", reached), ("files", written), ("programs", started)):
            what = sense(event, arguments)
            if what is not None:
                seen[key].append(f"{what}{_line(home)}")

    sys.addaudithook(hear)
    error = ""
    try:
        found = _imported(module)
        for hook, _, _ in KINDS.values():
            cards = getattr(found, hook, None)
            if callable(cards):
                given = cards()
                list(given if isinstance(given, Iterable) else ())
    except (Exception, SystemExit) as raised:
        error = explain(raised) if isinstance(raised, GanzooError) else f"{type(raised).__name__}: {raised}"
    noting = False
    sys.stdout.flush()
    with open(report, "w", encoding="utf-8") as file:
        json.dump({**seen, "error": error, "imported": HEAVY in sys.modules}, file)


def _imported(module: str) -> Any:
    """What an entry point names, a module or an attribute of it; or the module of a file by its path."""
    if not module.endswith(".py"):
        name, _, attribute = module.partition(":")
        found = importlib.import_module(name)
        return attrgetter(attribute)(found) if attribute else found
    spec = importlib.util.spec_from_file_location("the_plugin", module)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules["the_plugin"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def _home(module: str) -> str:
    """The folder of the plugin's package, or its file."""
    if module.endswith(".py"):
        return module
    top = module.partition(":")[0].partition(".")[0]
    spec = importlib.util.find_spec(top)
    origin = spec.origin if spec and spec.origin else ""
    return os.path.dirname(origin) if os.path.basename(origin) == "__init__.py" else origin


def _is_being_imported(module: str) -> bool:
    return bool(getattr(getattr(sys.modules.get(module), "__spec__", None), "_initializing", False))


def _line(home: str) -> str:
    """`` (__init__.py, line 3)``: the innermost line of the plugin's own that runs now; "" where none does."""
    frame = sys._getframe(2)
    while frame is not None:
        if home and frame.f_code.co_filename.startswith(home):
            return f" ({os.path.basename(frame.f_code.co_filename)}, line {frame.f_lineno})"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
