"""Everything that every installed plugin offers keeps the contract: what is new is tested by being there."""

from __future__ import annotations

import dataclasses

import pytest

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import catalogue
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import weightless
from ganzoo.plan.memory import memory_needed
from ganzoo.testing import checks
from ganzoo.testing.architecture.cases import cases

FAULTS = {
    "ganzoo-tiny": {"faultygan unconditional 3x8x8 stays finite": "a loss that becomes NaN is the fault it is made for"}
}
DISTRIBUTIONS = sorted({plugin.distribution for plugin in catalogue().plugins})
CHECKS = [check for name in DISTRIBUTIONS for check in checks(name, FAULTS.get(name))]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_plugin(check):
    check()


OURS = [entry for entry in catalogue().entries("architecture") if entry.distribution == DISTRIBUTION]


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_every_preset_says_what_it_is_for(entry):
    model = load_architecture(entry)
    assert list(model.preset_summaries) == list(model.presets)
    assert all(text.endswith(".") for text in model.preset_summaries.values())


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_the_memory_of_a_step_is_counted_beforehand(entry):
    """With what a step may do besides, too: augmentation that follows D, penalties without a second derivative."""
    case = next(case for case in cases(entry, load_architecture(entry)) if not case.beside)
    least = memory_needed(weightless(case.model, case.config, case.data), 8)
    assert least > 0
    for option, spec in (("augment", "ada"), ("penalty", "approximate-r1:gamma=1")):
        if hasattr(case.config, option) and case.model.modalities == ("image",) and not case.data.domains:
            config = dataclasses.replace(case.config, **{option: spec})
            assert memory_needed(weightless(case.model, config, case.data), 8) > 0
