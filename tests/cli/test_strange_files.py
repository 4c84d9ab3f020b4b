"""Text files that no honest program writes: one sentence each, never a traceback, a hang or the machine's memory."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.command_line import cli, refusal

from ganzoo import data


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    return folder


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.json", DEEP),
        ("labels.json", '{"labels": ' + DEEP),
        ("labels.json", "5"),
        ("labels.json", '{"labels": [["0.png", 1' + "0" * 5000 + "]]}"),
        ("labels.csv", "0.png," + "a" * 131_073 + "\n1.png,b\n2.png,c\n"),
        ("labels.csv", '0.png,"a\n1.png,b\n2.png,c\n'),
        ("labels.csv", "\0" * 100),
        ("labels.csv", ""),
    ],
)
def test_labels_files_that_are_none(tmp_path, pictures, name, text):
    (tmp_path / name).write_text(text)
    refusal(cli("data", "add", "set", pictures, "--labels", tmp_path / name))


@pytest.mark.parametrize("text", [DEEP, '{"labels": ' + DEEP, "nothing"])
def test_a_dataset_json_among_the_pictures_that_is_none(pictures, text):
    (pictures / "dataset.json").write_text(text)
    refusal(cli("data", "add", "set", pictures))


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no such device")
def test_a_device_is_neither_a_plugin_nor_labels(pictures):
    assert "more than 16 MB" in refusal(cli("list", "--plugin", "/dev/zero"))
    refusal(cli("data", "add", "set", pictures, "--labels", "/dev/zero"))


@pytest.mark.parametrize(
    "text",
    [
        "architecture = 5\ndata = 'points'",
        "architecture = 'gan'\ndata = ['points']",
        "architecture = 'gan'\ndata = 'points'\npreset = 3",
        "architecture = 'gan'\ndata = 'points'\nper_class = 'yes'",
        "architecture = 'gan'\ndata = 'points'\nsummary = {}",
        "architecture = 'gan'\ndata = 'points'\napi = 'new'",
        "architecture = 'gan'\ndata = 'points'\noptions = 5",
        "architecture = 'gan'\ndata = 'points'\nstages = 'many'",
        "a = " + DEEP,
        "a = \0",
    ],
)
def test_recipes_with_wrong_types(tmp_path, text):
    (tmp_path / "r.toml").write_text(text)
    assert "r.toml" in refusal(cli("train", "--recipe", tmp_path / "r.toml"))


@pytest.mark.parametrize("text", ["5", DEEP, "{", '{"format": 1}', '{"format": 1, "name": "set", "extra": 3}', "\0"])
def test_a_damaged_record_is_one_sentence_and_takes_no_other_down(home, pictures, text):
    data.add("good", pictures)
    (home / "data" / "bad.json").write_text(text)
    assert "bad" in refusal(cli("data", "show", "bad"), 1)
    listed = cli("data", "list")
    assert listed.exit_code == 0
    assert "good" in listed.output


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("images", "3"),
        ("paths", "here"),
        ("labels", 5),
        ("sizes", [["a", "b"]]),
        ("fit", "bend"),
        ("domains", []),
        ("readings", [{"levels": [5]}]),
    ],
)
def test_a_record_whose_facts_are_of_another_type_is_refused(home, pictures, key, value):
    data.add("set", pictures)
    file = home / "data" / "set.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    assert "set.json" in refusal(cli("data", "show", "set"), 1)


def test_escapes_in_names_of_files_are_written_out(tmp_path):
    folder = tmp_path / "a\x1b[31mb"
    folder.mkdir()
    for number in range(30):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    (folder / "x\x1b]0;title\x07.png").write_bytes(b"\x89PNG")
    answer = cli("data", "add", "set", folder)
    assert answer.exit_code == 0
    assert "\x1b" not in answer.output + cli("data", "list").output + cli("data", "show", "set").output
    assert r"x\x1b]0;title\x07.png is not a readable image" in answer.output
    assert "\x1b" not in refusal(cli("data", "add", "other", tmp_path / "a\x1b[2Jb"))


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are text there")
def test_names_that_are_no_utf_8(tmp_path, pictures):
    """Of a class, of the folder of the data, and of a run; what is written of a run is UTF-8 all the same."""
    where = tmp_path / os.fsdecode(b"pict\xe9")
    for label in (os.fsdecode(b"\xe9t\xe9"), "hiver"):
        shutil.copytree(pictures, where / label)
    asked = ("--steps", 1, "--batch-size", 2, "--resolution", 8)
    cli("data", "add", "seasons", where)
    refused = cli("train", "cgan", "seasons", *asked, "--out", tmp_path / os.fsdecode(b"r\xff"))
    assert "is no UTF-8, and no model could be opened in it; choose another --out" in refusal(refused)
    assert cli("train", "cgan", "seasons", *asked, "--out", tmp_path / "run").exit_code == 0
    assert cli("sample", tmp_path / "run", "--label", "\\udce9t\\udce9", "-o", tmp_path / "s.png").exit_code == 0
    (tmp_path / "run").rename(tmp_path / os.fsdecode(b"r\xff"))
    if sys.platform == "linux":
        moved = cli("sample", tmp_path / os.fsdecode(b"r\xff"), "-o", tmp_path / "t.png")
        assert "has a name that is no UTF-8, which safetensors cannot open; rename it" in refusal(moved, code=1)
