"""Everything that every installed plugin offers keeps the contract: what is new is tested by being there."""

from __future__ import annotations

import pytest

from ganzoo.catalogue.catalogue import catalogue
from ganzoo.testing import checks

FAULTS = {
    "ganzoo-tiny": {"faultygan unconditional 3x8x8 stays finite": "a loss that becomes NaN is the fault it is made for"}
}
DISTRIBUTIONS = sorted({plugin.distribution for plugin in catalogue().plugins})
CHECKS = [check for name in DISTRIBUTIONS for check in checks(name, FAULTS.get(name))]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_plugin(check):
    check()
