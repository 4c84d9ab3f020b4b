"""Whatever ganzoo expects of the plugin, one test each."""

import pytest
from ganzoo.testing import Check, checks


@pytest.mark.parametrize("check", checks("my-gan"), ids=str)
def test_my_gan(check: Check) -> None:
    check()
