"""Whatever ganzoo expects of the plugin, one test each."""

import pytest
from ganzoo.testing import Check, checks


@pytest.mark.parametrize("check", checks("ganzoo-paired"), ids=str)
def test_paired(check: Check) -> None:
    check()
