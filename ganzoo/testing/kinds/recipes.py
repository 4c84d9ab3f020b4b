"""Recipes: all that they name is there, and the run they describe could begin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ganzoo import data
from ganzoo.catalogue.catalogue import Entry
from ganzoo.errors import GanzooError
from ganzoo.plan.plan import plan_run
from ganzoo.plan.spec import expected_spec
from ganzoo.testing.check import Check, CheckFailed
from ganzoo.testing.kinds.cards import check_card
from ganzoo.testing.probes.offline import offline
from ganzoo.training.prepare import check_networks


def recipe_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a recipe."""
    yield Check("card", name, "recipe", partial(check_card, entry), "recipe")
    yield Check("plans", name, "recipe", partial(check_plans, entry), "recipe")


def check_plans(entry: Entry) -> None:
    """Architecture, data, preset, options and stages resolve, and networks are built for every stage."""
    with offline("its data is not here yet; train on it once, which fetches it, and check again"):
        try:
            classes = data.info(entry.card.data).classes if entry.card.per_class else ()
            plan = plan_run(None, None, recipe=entry.full_name, label=classes[0] if classes else None)
            for index in range(len(plan.stages)):
                plan.at_stage(index)
            expected = expected_spec(plan)
            if expected is not None:
                check_networks(plan, expected)
        except GanzooError as error:
            raise CheckFailed(f"The run it describes could not begin: {error}") from error
