"""Tests of the catalogue tell listeners of runs that there are not, which ganzoo's own listener cannot open."""

from __future__ import annotations

import pytest

from ganzoo.catalogue import entry_points


@pytest.fixture(autouse=True)
def strangers_alone_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    points = entry_points.points
    monkeypatch.setattr(
        entry_points, "points", lambda: [point for point in points() if point.value != "ganzoo_warnings"]
    )
