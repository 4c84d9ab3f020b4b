"""The process in which a plugin hears of a tiny run.

`python -m ganzoo.testing.probes.run_probe RUN REPORT LOGGER [FILE]`

LOGGER is as `--log` takes it, "" for none: then the plugin's module itself hears of runs. FILE is a plugin that is not
installed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ganzoo.catalogue.catalogue import catalogue
from ganzoo.catalogue.components import instances
from ganzoo.catalogue.single_file import use_plugin
from ganzoo.errors import GanzooError
from ganzoo.loop.display import Display
from ganzoo.testing.probes.audit import written
from ganzoo.testing.probes.tiny_run import train_twice


class Complaints(Display):
    """Keeps what is said of plugins that failed."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def warn(self, text: str) -> None:
        self.heard.append(text)


def main(folder: Path, report: Path, logger: str, file: str | None = None) -> None:
    if file is not None:
        use_plugin(file)
    outside: list[str] = []
    allowed = tuple(os.path.join(os.path.realpath(place), "") for place in (folder, tempfile.gettempdir()))
    telling = False

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        """Notes what the plugin writes elsewhere: while it is told something, or from a thread of its own."""
        path = written(event, arguments)
        if path is None or not (telling or threading.current_thread() is not threading.main_thread()):
            return
        if not os.path.join(os.path.realpath(path), "").startswith(allowed):
            outside.append(path)

    found, notify = catalogue(), catalogue().notify

    def tell(event: str, *arguments: Any, **named: Any) -> Any:
        nonlocal telling
        telling = True
        try:
            return notify(event, *arguments, **named)
        finally:
            telling = False

    found.notify = tell  # type: ignore[method-assign]
    display, refused = Complaints(), ""
    sys.addaudithook(hear)
    try:
        loggers = instances(logger)
    except GanzooError as error:
        refused = str(error)
    else:
        try:
            train_twice(folder, loggers, display)
        except GanzooError as error:  # it cannot listen
            display.warn(str(error))
    text = json.dumps({"complaints": display.heard, "outside": sorted(set(outside)), "refused": refused})
    report.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
