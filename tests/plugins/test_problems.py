"""The recipes that show a problem on purpose, and those that mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganzoo.catalogue.catalogue import recipes
from ganzoo.plan.plan import plan_run

ROOT = Path(__file__).parents[2]
RECIPES = {card.name: card for card in recipes() if card.name.startswith("problem-")}
PROBLEMS = sorted(name for name in RECIPES if not name.endswith("-mended"))


def test_each_problem_is_there_and_mended():
    assert PROBLEMS == ["problem-collapse", "problem-divergence", "problem-few-images", "problem-vanishing"]
    assert set(RECIPES) == {*PROBLEMS, *(f"{name}-mended" for name in PROBLEMS)}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_mends_it_is_one_option(name):
    """Everything else is alike, the defaults included, so that the difference is the option's."""
    ours, theirs = (plan_run(None, None, recipe=each) for each in (name, f"{name}-mended"))
    assert (ours.data.name, ours.stages, ours.settings) == (theirs.data.name, theirs.stages, theirs.settings)
    options = [key for key, value in vars(ours.config).items() if value != getattr(theirs.config, key)]
    assert len(options) == 1
    assert RECIPES[name].options.keys() == RECIPES[f"{name}-mended"].options.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_it_trains(name, train):
    data = "points:images=512" if RECIPES[name].data.startswith("points") else "digits:images=64"
    run = train(architecture=None, data=data, recipe=name, steps=1, batch_size=8)
    assert (run.status, run.facts["recipe"]) == ("finished", name)


@pytest.mark.parametrize("name", RECIPES)
def test_the_page_says_what_was_seen(name):
    assert f"ganzoo train --recipe {name}" in (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
