"""A logger for the tests: writes what it hears into the run's folder, or raises."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from ganzoo.api import hookimpl, option


@dataclass
class TinyLog:
    file: str = option("heard.jsonl", "where it writes what it hears")
    fails: Literal["", "started", "logged", "sampled", "ended"] = option("", "the event that it raises in")
    how: Literal["error", "exit"] = option("error", "what it raises")

    @hookimpl
    def ganzoo_run_started(self, run: Any, step: int) -> None:
        self._hear(run, "started", step)

    @hookimpl
    def ganzoo_logged(self, run: Any, step: int, values: Any) -> None:
        self._hear(run, "logged", {"step": step, **values})

    @hookimpl
    def ganzoo_sampled(self, run: Any, step: int, image: Any) -> None:
        self._hear(run, "sampled", [step, image.name])

    @hookimpl
    def ganzoo_warned(self, run: Any, step: int, warning: Any) -> None:
        self._hear(run, "warned", [step, warning.kind, str(warning)])

    @hookimpl
    def ganzoo_run_ended(self, run: Any, status: str) -> None:
        self._hear(run, "ended", status)

    def _hear(self, run: Any, event: str, what: Any) -> None:
        if event == self.fails:
            raise SystemExit(3) if self.how == "exit" else RuntimeError("no luck")
        with (run.path / self.file).open("a", encoding="utf-8") as file:
            file.write(json.dumps([event, what]) + "\n")
