"""When sheets and checkpoints come by default, where an epoch is short."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import ganzoo
from ganzoo.loop.spacing import sheets_until


@pytest.mark.parametrize(
    ("items", "epoch", "sheets"),
    [(300, 10, 10), (300, 85, 31), (300, 667, 68), (4_999, 85, 84), (5_000, 667, 667), (60_000, 20, 20), (8, 0, 0)],
)
def test_short_epochs_share_sheets_after_the_first_ten(items: int, epoch: int, sheets: int) -> None:
    assert sheets_until(epoch, items) == sheets


@pytest.mark.parametrize("items", [1, 63, 300, 3_000, 4_999])
def test_no_more_than_5000_images_or_a_tenth_lie_between_two_sheets(items: int) -> None:
    due = [epoch for epoch in range(1, 3_000) if sheets_until(epoch, items) > sheets_until(epoch - 1, items)]
    for before, after in itertools.pairwise(due):
        assert (after - before) * items <= max(items, 5_000) + items
        assert after - before <= before / 9 + 1


def test_a_run_has_its_sheets_and_checkpoints_there_and_at_its_end(tmp_path: Path) -> None:
    run = ganzoo.train("tinygan", "tiny:images=16", epochs=22, batch_size=8, checkpoints=40, out=tmp_path / "run")
    epochs = [*range(1, 11), 12, 13, 14, 15, 17, 19, 21, 22]
    assert [file.stem for file in sorted((run.path / "samples").iterdir())] == [f"epoch-{n:04d}" for n in epochs]
    assert [file.stem for file in run.checkpoints()] == [f"step-{2 * n:08d}" for n in epochs]
    asked = ganzoo.train("tinygan", "tiny:images=16", epochs=12, batch_size=8, sample_every=2, out=tmp_path / "asked")
    assert len([*(asked.path / "samples").iterdir()]) == 13
