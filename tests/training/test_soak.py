"""Memory is counted for the part that keeps it: the short form of `support.soak`."""

from __future__ import annotations

import math
import mmap
from pathlib import Path

import pytest
from support import soak
from support.soak import PARTS, REST, Growth, slope

from ganzoo.loop.trainer import Trainer

pytestmark = pytest.mark.skipif(
    not soak._STATUS.exists() or b"RssAnon" not in soak._STATUS.read_bytes(), reason="memory cannot be read here"
)


def test_what_a_part_keeps_counts_for_it_and_for_no_part_around_it() -> None:
    growth, kept = Growth(point_seconds=0), []

    def allocate() -> None:
        kept.append(mmap.mmap(-1, 40_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        kept[0].write(b"x" * 40_000_000)

    growth.watched("scores", growth.watched("samples", allocate))()
    assert growth.bytes["samples"] > 30_000_000
    assert growth.bytes["scores"] < 5_000_000
    kept.pop().close()
    growth.watched("logger", lambda: None)()
    assert growth.bytes["the rest"] < -30_000_000
    assert growth.calls["samples"] == growth.calls["scores"] == 1
    assert slope([(0.0, 0), (1800.0, 5_000_000), (3600.0, 10_000_000)]) == pytest.approx(10)


def test_every_part_of_a_training_is_watched(tmp_path: Path) -> None:
    growth, step = Growth(point_seconds=0), Trainer.step
    soak.soak(
        tmp_path / "run", "tinygan", "tiny", growth,
        steps=12, resolution=16, checkpoint_every=4, sample_every=4, evaluate_every=48, evaluate="swd", log="tinylog",
        samples=4,
    )  # fmt: skip
    assert Trainer.step is step
    assert growth.calls["steps"] == 12
    assert [part for part in PARTS if part != "models" and not growth.calls[part]] == []
    slopes = growth.slopes()
    assert slopes.keys() == {*PARTS, REST, "together"}
    assert all(map(math.isfinite, slopes.values()))
