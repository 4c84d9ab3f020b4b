"""Everything that every installed plugin offers keeps the contract: what is new is tested by being there."""

from __future__ import annotations

import pytest

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import catalogue
from ganzoo.catalogue.components import load_architecture
from ganzoo.testing import checks

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
