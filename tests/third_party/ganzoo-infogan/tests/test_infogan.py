"""Whatever ganzoo expects of the plugin, one test each."""

import pytest
from ganzoo.testing import Check, checks


@pytest.mark.parametrize("check", checks("infogan"), ids=str)
def test_infogan(check: Check) -> None:
    check()
