"""Whatever ganzoo expects of the plugin, one test each."""

import pytest
from ganzoo.testing import Check, checks


@pytest.mark.parametrize("check", checks("ganzoo-encoder"), ids=str)
def test_encoder(check: Check) -> None:
    check()
