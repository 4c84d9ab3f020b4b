"""Every architecture of every installed plugin keeps the contract: a new one is tested by being there."""

from __future__ import annotations

import pytest

from ganzoo.plugins import entries
from ganzoo.testing import check_architecture

CHECKS = [check for entry in entries("architecture") for check in check_architecture(entry.full_name)]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_architecture(check):
    check()
