"""My logger.

A run writes its losses into a table too, for a spreadsheet.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganzoo.api import Run, hookimpl, option


@dataclass
class MyLogger:
    """A row for each value: which values there are may differ from step to step."""

    file: str = option("losses.csv", "the table, in the run's folder")

    @hookimpl
    def ganzoo_run_started(self, run: Run, step: int) -> None:
        """Keeps the rows up to `step`: a run that was killed comes to later steps again."""
        self._path = run.path / self.file
        kept = [row for row in read(self._path) if int(row[0]) <= step]
        with self._path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("step", "name", "value"), *kept])

    @hookimpl
    def ganzoo_logged(self, step: int, values: Mapping[str, float]) -> None:
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((step, name, value) for name, value in values.items())


def read(path: Path) -> list[list[str]]:
    """The rows below the heading, none where there is no table."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
