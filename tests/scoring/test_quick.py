"""Cheap scores come first; what trains something is announced, or left out."""

from __future__ import annotations

import io

import pytest
from support.command_line import as_json, cli, refusal

from ganzoo.loop.display import Lines, Outlook
from ganzoo.scoring.evaluator import Evaluator


def test_what_trains_a_classifier_comes_last_and_quick_leaves_it_out(finished_copy, monkeypatch):
    assert list(Evaluator().metrics)[-1] == "classifier"
    assert "classifier" not in Evaluator(quick=True).metrics
    monkeypatch.setattr("ganzoo_scores.classifier.trained_classifier", lambda *_: pytest.fail("trained"))
    scores = as_json(cli("evaluate", finished_copy, "--samples", "16", "--quick", "--json"))["metrics"]
    assert {score["name"] for score in scores} == {"nearest", "nearest-real"}, "of images of 8 pixels"
    assert "leave out --metric" in refusal(cli("evaluate", finished_copy, "--quick", "--metric", "swd"))


def test_long_work_says_how_long_it_still_takes():
    seconds = iter([0.0, 1.0, 3.0, 30.0, 0.0])
    left = Outlook(lambda: next(seconds))
    said = [left("Packing", 0, 400), left("Packing", 4, 400), left("Packing", 10, 400), left("Packing", 100, 400)]
    assert said == ["", "", ", 2 minutes left", ", 2 minutes left"]
    assert left("Training", 3, 9) == "", "another work begins anew"


def test_lines_say_it_once_and_at_each_quarter():
    out, seconds = io.StringIO(), iter(range(0, 1000, 3))
    lines = Lines(out)
    lines._outlook = Outlook(lambda: next(seconds))
    for done in (0, 1, 2, 100):
        lines.report("Packing", done, 400)
    assert out.getvalue().splitlines() == [
        "Packing: 0 of 400", "Packing: 1 of 400, 20 minutes left", "Packing: 100 of 400, 27 seconds left",
    ]  # fmt: skip
