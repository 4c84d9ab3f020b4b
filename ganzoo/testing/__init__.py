"""What every plugin must keep, as checks that anyone can run on theirs: `ganzoo plugins check NAME`, or with pytest

    @pytest.mark.parametrize("check", checks("my-gan"), ids=str)
    def test_my_gan(check):
        check()

An architecture is built small (its preset `small` where it has one, at the smallest resolution of its card) and trained
for a few steps on noise in memory: once for each task of its card, and on points of the plane too if it takes them.
Importing this imports neither torch nor pytest. What `__all__` names is for everybody; the modules inside may change.
"""

from __future__ import annotations

from ganzoo.testing.check import Check, CheckFailed, ExpectedFailure, NotChecked, Outcome
from ganzoo.testing.collect import checks

__all__ = ["Check", "CheckFailed", "ExpectedFailure", "NotChecked", "Outcome", "checks"]
