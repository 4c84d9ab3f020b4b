"""Each measured figure stands in docs/figures.toml, and wherever else it is said it is written from there."""

from __future__ import annotations

import re

import pytest
from support.figures import TOP, Figures

from ganzoo.catalogue.catalogue import entries

KNOWN = Figures()
SMALL = """
[tables.digits]
page = "docs/results.md"
columns = ["run", "time", "confident"]

[tables.digits.rows]
gan-0 = ["`gan`", "28 min, half of them alone", "80.5 %"]
gan-1 = ["", "1,600 min", "82.0 % of 2,000"]
best = ["`best`", "", "{digits.gan-1.confident} %"]

[sentences]

[cards.gan]
best = "{digits.gan-1.confident} % confident"
minutes = "{digits.gan-0.time}"
measured = "a core"
"""


@pytest.mark.parametrize("file", KNOWN.texts(), ids=lambda file: str(file.relative_to(TOP)))
def test_what_is_said_is_what_was_measured(file):
    assert file.read_text(encoding="utf-8") == KNOWN.texts()[file], "type: PYTHONPATH=tests python -m support.figures"


def test_a_reference_is_the_number_of_its_cell():
    small = Figures(SMALL)
    assert small.filled("{digits.gan-0.confident} % after {digits.gan-1.time}") == "80.5 % after 1,600"
    assert small.filled("{digits.gan-1.confident#2}, {digits.gan-1.confident:.0f}") == "2,000, 82"
    assert small.filled("{digits.best.confident}") == "82.0", "of a cell that is a reference itself"
    assert small.filled("{digits.gan-*.confident}: {digits.gan-*.confident:±}") == "81.2: 81.2 ± 1.1"
    assert small.card("gan") == {"best": "82.0 % confident", "minutes": 28, "measured": "a core"}
    for wrong in ("{digits.began.confident}", "{digits.gan-0.speed}", "{letters.gan-0.confident}"):
        with pytest.raises((AssertionError, KeyError, ValueError)):
            small.filled(wrong)


def test_another_figure_changes_every_page_that_says_it():
    text = (TOP / "docs" / "figures.toml").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("80k = [") and "26.8" in line)
    changed = Figures(text.replace(row, row.replace("26.8", "25.1"))).texts()
    pages = ("README.md", "docs/results.md", "plugins/ganzoo_tonight/README.md", "plugins/ganzoo_tonight/__init__.py")
    assert {file for file, new in changed.items() if new != KNOWN.texts()[file]} == {TOP / page for page in pages}
    assert not any("26.8" in changed[TOP / page] for page in pages)


def test_every_card_with_a_score_is_in_the_file():
    ours = {entry.name: entry.card for entry in entries("architecture") if entry.distribution == "ganzoo"}
    assert {name for name, found in ours.items() if found.best} == set(KNOWN.cards)
    for name in KNOWN.cards:
        said = KNOWN.card(name)
        assert (ours[name].best, ours[name].minutes, ours[name].measured) == tuple(
            said[field] for field in ("best", "minutes", "measured")
        )


def test_the_results_have_every_cards_figure():
    results = (TOP / "docs" / "results.md").read_text(encoding="utf-8")
    for name in KNOWN.cards:
        (number,) = re.findall(r"\d+(?:\.\d+)?", KNOWN.card(name)["best"])
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]\d)", results), f"{name}: {number}"
