"""Every architecture of every installed plugin keeps the contract: a new one is tested by being there."""

from __future__ import annotations

import pytest

from ganzoo.plugins import entries
from ganzoo.testing import checks

FAULTS = {"ganzoo-tiny:faultygan": {"stays finite": "a loss that becomes NaN is the fault it is made for"}}
NAMES = [entry.full_name for entry in entries("architecture")]
CHECKS = [check for name in NAMES for check in checks(name, FAULTS.get(name))]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_architecture(check):
    check()
