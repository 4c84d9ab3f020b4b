"""Each measured figure stands in docs/figures.toml, and wherever else it is said it is written from there."""

from __future__ import annotations

import re

import pytest
from support.figures import TOP, card, figures, texts

from ganzoo.catalogue.catalogue import entries

KNOWN = figures()


@pytest.mark.parametrize("file", texts(KNOWN), ids=lambda file: str(file.relative_to(TOP)))
def test_what_is_said_is_what_was_measured(file):
    assert file.read_text(encoding="utf-8") == texts(KNOWN)[file], "type: PYTHONPATH=tests python -m support.figures"


def test_every_card_with_a_score_is_in_the_file():
    ours = {entry.name: entry.card for entry in entries("architecture") if entry.distribution == "ganzoo"}
    assert {name for name, found in ours.items() if found.best} == set(KNOWN["cards"])
    for name in KNOWN["cards"]:
        said = card(KNOWN, name)
        assert (ours[name].best, ours[name].minutes, ours[name].measured) == tuple(
            said[field] for field in ("best", "minutes", "measured")
        )


def test_the_results_have_every_cards_figure():
    results = (TOP / "docs" / "results.md").read_text(encoding="utf-8")
    for name in KNOWN["cards"]:
        (number,) = re.findall(r"\d+(?:\.\d+)?", card(KNOWN, name)["best"])
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]\d)", results), f"{name}: {number}"
