"""Whatever ganzoo expects of the plugin, one test each."""

import pytest
from ganzoo.testing import Check, checks


@pytest.mark.parametrize("check", checks("ganzoo-waves"), ids=str)
def test_waves(check: Check) -> None:
    check()
