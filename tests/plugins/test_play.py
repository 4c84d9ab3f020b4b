"""`ganzoo play` without a browser: the commands that it shows make what it shows, and what it refuses."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path

import pytest
from ganzoo_play import server
from ganzoo_play.player import UPLOADS, Player, Sheet, encoded, mixed, picked, projected, shown, translated
from PIL import Image
from support.command_line import cli, refusal

import ganzoo
from ganzoo.api import GanzooError, UsageError
from ganzoo.cli.app import app
from ganzoo.loop.display import Display


def pixels(file: Path) -> list[tuple[tuple[int, int], bytes]]:
    """Size and content of every frame."""
    with Image.open(file) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append((image.size, image.convert("RGBA").tobytes()))
    return frames


def typed(made, monkeypatch, folder: Path) -> list[Path]:
    """What the command makes that is shown beside a result, typed in an empty folder."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    words = shlex.split(made.command)
    assert words[0] == "ganzoo"
    result = cli(*words[1:])
    assert result.exit_code == 0, result.output
    place = folder / words[-1]
    return sorted(place.iterdir()) if place.is_dir() else [place]


@pytest.fixture
def play(finished):
    with Player(app, str(finished.path), "cpu") as player:
        yield player


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (Sheet(5, seed=3).words(), "samples/"),
        (Sheet(5, seed=3).one(4), "image.png"),
        (Sheet(5, seed=3).versions(4, 6, 0.5), "versions/"),
        (Sheet(5, seed=3).walk(4, 1), "walk.gif"),
    ],
)
def test_the_command_that_is_shown_makes_the_same_pixels(play, words, out, monkeypatch, tmp_path):
    made = play.make(words, out)
    again = typed(made, monkeypatch, tmp_path / "typed")
    assert [file.name for file in made.files] == [file.name for file in again]
    assert [*map(pixels, made.files)] == [*map(pixels, again)]


def test_the_image_that_is_picked_is_the_one_that_was_shown(play):
    sheet = Sheet(5, seed=3)
    made = play.make(sheet.words(), "samples/")
    for place in (1, 4):
        assert pixels(play.make(sheet.one(place), "image.png").files[0]) == pixels(made.files[place - 1])
    still = play.make(sheet.versions(4, 2, 0), "versions/")
    walk = play.make([*sheet.walk(4, 1), "--frames", "3"], "walk.png")
    assert [pixels(file) for file in still.files] == [pixels(made.files[3])] * 2
    assert len(walk.files) == 1


def test_uploads_are_read_as_translate_reads_them(monkeypatch, tmp_path):
    options: dict = {"layers_d": 1, "blocks": 1, "width_g": 4, "width_d": 4, "load_size": 32, "resolution": 32}
    options |= {"steps": 1, "batch_size": 1, "samples": 2, "device": "cpu", "display": Display()}
    ganzoo.train("cyclegan", "anime-hair:images=8", out=tmp_path / "run", **options)
    with Player(app, str(tmp_path / "run"), "cpu") as player:
        assert not player.can.generate
        assert player.can.domains == ("A", "B")
        folder = player.folder / UPLOADS / "1"
        folder.mkdir(parents=True)
        face = folder / "a face.png"
        Image.linear_gradient("L").resize((40, 36)).convert("RGBA").save(face)
        made = player.make(translated([str(face)], "B", False, seed=2), "out/")
        assert "'a face.png' --to B" in made.command
        assert str(player.folder) not in made.command
        (tmp_path / "typed").mkdir()
        (tmp_path / "typed" / "a face.png").write_bytes(face.read_bytes())
        monkeypatch.chdir(tmp_path / "typed")
        assert cli(*shlex.split(made.command)[1:]).exit_code == 0
        for name in ("a face.png", "side-by-side.png"):
            assert pixels(tmp_path / "typed" / "out" / name) == pixels(folder.parents[1] / "1" / "out" / name)
        face.write_bytes(face.read_bytes()[:50])
        with pytest.raises(GanzooError, match=r"a face\.png is not a readable image, or is cut short"):
            player.make(translated([str(face)], "B", False, seed=2), "out/")
        bomb = folder / "bomb.png"
        Image.new("1", (10_000, 10_000)).save(bomb)
        with pytest.raises(GanzooError, match=r"bomb\.png"):
            player.make(translated([str(bomb)], "B", False, seed=2), "out/")


def test_projections_say_their_error(play, monkeypatch, tmp_path):
    picture = tmp_path / "face.png"
    Image.linear_gradient("L").resize((20, 20)).save(picture)
    made = play.make(projected([str(picture)], 3, 2, 0.5, seed=1), "projected.png")
    assert made.said.startswith("Mean squared error 0.")
    words = shlex.split(made.command)
    assert cli(*words[1:-1], tmp_path / "again.png").exit_code == 0
    assert pixels(made.files[0]) == pixels(tmp_path / "again.png")


def test_two_clicks_pick_two_and_a_third_begins_anew():
    assert picked([], 3) == [3]
    assert picked([3], 3) == [3]
    assert picked([3], 7) == [3, 7]
    assert picked([3, 7], 7) == [7]


def test_words_of_commands():
    sheet = Sheet(8, 2, "7 of 9", 0.7, "3,c1=-0.5")
    assert shown([*sheet.one(3), "-o", "image.png"]) == (
        "ganzoo sample -n 8 --seed 2 --index 3 --label '7 of 9' --truncation 0.7 --code 3,c1=-0.5 -o image.png"
    )
    with pytest.raises(UsageError, match="leave the codes empty"):
        sheet.walk(1, 2)
    assert mixed(2, 3, 4, 5) == ["mix", "--rows", "2", "--columns", "3", "--seed", "5", "--cutoff", "4"]
    assert translated(["a.png"], "Young=0", True, 0) == ["translate", "a.png", "--label", "Young=0", "--seed", "0"]
    assert encoded(["a.png"]) == ["project", "a.png", "--steps", "0"]
    assert encoded(["a.png", "b.png"], "x") == ["interpolate", "a.png", "b.png", "--label", "x"]
    for wrong in (
        lambda: translated([], "B", False, 0), lambda: translated(["a.png"], "", True, 0), lambda: encoded([]),
        lambda: projected([], 1, 0, 0.3, 0), lambda: projected(["a.png", "b.png"], 1, 0, 0.3, 0),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=r"^Give "):
            wrong()
    assert shown(["translate", f"/tmp/{UPLOADS}/0/-v.png"]) == "ganzoo translate ./-v.png"


def test_what_is_wrong_is_said_before_what_is_missing(finished, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert "There is no run or model" in refusal(cli("play", tmp_path / "nothing"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} is taken by another program; leave --port out" in refusal(
            cli("play", finished.path, "--port", port)
        )
        monkeypatch.setattr(server, "PORT", port)
        monkeypatch.setattr(server, "TRIED", 1)
        assert "are all taken; say a free one, such as --port 0 for any." in refusal(cli("play", finished.path))
    assert "--host 203.0.113.7 is no address of this machine" in refusal(
        cli("play", finished.path, "--host", "203.0.113.7")
    )
    missing = refusal(cli("play", finished.path, "--port", "0"), code=1)
    assert "ganzoo play needs the package gradio" in missing
    assert missing.endswith("type: pip install 'ganzoo[play]'")


def test_results_go_with_the_page_and_old_ones_before(finished, monkeypatch):
    from ganzoo_play import player as module

    monkeypatch.setattr(module, "KEPT", 2)
    with Player(app, str(finished.path)) as player:
        for seed in range(4):
            player.make(Sheet(1, seed).words(), "samples/")
        assert sorted(each.name for each in player.folder.iterdir()) == ["3", "4"]
    assert not player.folder.exists()


def test_a_file_may_be_as_large_as_one_of_a_data_set():
    from ganzoo.data.containers import MAX_FILE_BYTES

    assert server.MAX_UPLOAD == MAX_FILE_BYTES
