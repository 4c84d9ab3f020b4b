"""Whatever ganzoo expects of the plugin, one test each."""

import pytest
from ganzoo.testing import Check, checks


@pytest.mark.parametrize("check", checks("ganzoo-began:began"), ids=str)
def test_began(check: Check) -> None:
    check()
