"""My logger.

Every run writes its losses into losses.csv too, for a spreadsheet.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ganzoo.api import hookimpl

if TYPE_CHECKING:
    from ganzoo import Run

FILE = "losses.csv"  # in the run's folder


@hookimpl
def ganzoo_logged(run: Run, step: int, values: Mapping[str, float]) -> None:
    """A row for each value. Which there are may differ from step to step, so they do not stand side by side."""
    file = run.path / FILE
    new = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as rows:
        table = csv.writer(rows)
        if new:
            table.writerow(("step", "name", "value"))
        table.writerows((step, name, value) for name, value in values.items())
