"""A run's sheets of samples as a movie."""

from __future__ import annotations

import dataclasses
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from ganzoo_animate import animation
from ganzoo_animate.animation import LINE, Sheet, sheets
from PIL import Image

import ganzoo
from ganzoo import GanzooError, UsageError
from ganzoo.cli.app import app
from ganzoo.runs import checkpoint


@pytest.fixture(scope="module")
def frequent(finished, tmp_path_factory):
    """As `finished`, with a sheet every two steps."""
    from ganzoo.loop.display import Display

    folder = tmp_path_factory.mktemp("frequent") / "run"
    options = {"epochs": 2, "samples": 4, "device": "cpu", "display": Display()}
    return ganzoo.train("tinygan", "tiny", out=folder, sample_every=2, **options)


def test_sheets_as_often_as_asked_change_nothing_else(frequent, finished):
    names = [each.file.name for each in sheets(frequent)]
    assert names == ["epoch-0000.png", "step-000002.png", "step-000004.png", "epoch-0002.png"]
    ours, theirs = (checkpoint.load(run.checkpoints()[-1])[0] for run in (frequent, finished))
    assert all(ours[name].equal(theirs[name]) for name in theirs)
    name = "samples/epoch-0002.png"
    with Image.open(frequent.path / name) as a, Image.open(finished.path / name) as b:
        assert a.tobytes() == b.tobytes()


def test_sheets_say_when_they_were_made(frequent):
    assert [(each.epoch, each.step, each.label) for each in sheets(frequent)] == [
        (0, 0, "epoch 0, step 0"),
        (0, 2, "epoch 0, step 2"),
        (1, 4, "epoch 1, step 4"),
        (2, 6, "epoch 2, step 6"),
    ]


def test_sheets_without_a_note_go_by_their_names(tmp_path):
    for name in ("epoch-0010.png", "epoch-0009.png", "interpolate-seed-0.png"):
        (tmp_path / "samples").mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / "samples" / name)
    found = sheets(ganzoo.Run(tmp_path, {}))
    assert [each.label for each in found] == ["epoch 9", "epoch 10"]


def test_a_movie_has_every_sheet_and_rests_on_the_last(frequent, tmp_path):
    file = ganzoo.animate(frequent.path, tmp_path / "deep" / "a.gif", rate=4)
    with Image.open(file) as movie:
        assert movie.size[0] == 22 * 16  # 8 pixels, 16 times; below them the sheet's own caption
        assert movie.n_frames == 4
        durations = []
        for frame in range(movie.n_frames):
            movie.seek(frame)
            durations.append(movie.info["duration"])
    assert durations == [250, 250, 250, 250 * (1 + 6)]


def test_frames_hold_the_sheets_with_a_label_below(frequent):
    some = sheets(frequent)
    with Image.open(some[0].file) as sheet:
        own = sheet.convert("RGB")
    first, *_ = animation._frames(some, rest=2)
    assert (first.size, first.tobytes()) == (own.size, own.tobytes())  # it has a caption of its own
    earlier = [dataclasses.replace(each, captioned=False) for each in some]
    first, *_, last = animation._frames(earlier, rest=2)
    size = own.size
    assert first.size == (size[0], size[1] + LINE)
    assert first.crop((0, 0, *size)).tobytes() == own.tobytes()
    below = (0, size[1], size[0], size[1] + LINE)
    assert first.crop(below).tobytes() != last.crop(below).tobytes()
    assert len(list(animation._frames(some, rest=2))) == 6


@pytest.mark.parametrize(("frames", "expected"), [(None, 9), (20, 9), (9, 9), (4, 4), (2, 2)])
def test_fewer_frames_are_evenly_spread_from_first_to_last(frames, expected):
    every = [Sheet(epoch, 0, Path()) for epoch in range(9)]
    some = animation._spread(every, frames)
    assert len({each.epoch for each in some}) == len(some) == expected
    assert (some[0], some[-1]) == (every[0], every[-1])
    gaps = [b.epoch - a.epoch for a, b in pairwise(some)]
    assert max(gaps) - min(gaps) <= 1


def test_what_cannot_be(frequent, tmp_path, monkeypatch):
    for options, message in (
        ({"file": tmp_path / "a.avi"}, "A movie is a .gif or an .mp4, not a.avi."),
        ({"rate": 0}, "shows 1 to 50 sheets a second"),
        ({"frames": 1}, "at least 2 sheets"),
    ):
        with pytest.raises(UsageError, match=message):
            ganzoo.animate(frequent, **options)
    empty = tmp_path / "empty"
    shutil.copytree(frequent.path, empty, ignore=shutil.ignore_patterns("*.png"))
    with pytest.raises(UsageError, match="no sheets of samples yet"):
        ganzoo.animate(empty)
    (tmp_path / "file").write_text("")
    with pytest.raises(GanzooError, match="cannot be written"):
        ganzoo.animate(frequent, tmp_path / "file" / "a.gif")


def test_the_command(frequent, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(frequent.path, run)
    done = CliRunner().invoke(app, ["animate", str(run), "--frames", "3"])
    assert (done.exit_code, done.output) == (0, f"The movie is {run / 'samples' / 'animation.gif'}\n")
    with Image.open(run / "samples" / "animation.gif") as movie:
        assert movie.n_frames == 3
