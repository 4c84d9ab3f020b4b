"""`ganzoo data`, with folders of pictures made here."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from support.command_line import as_json, cli, refusal


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def paint(folder: str, count: int, side: int = 8) -> None:
    for number in range(count):
        file = Path(folder, "even" if number % 2 == 0 else "odd", f"{number}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side), (number * 9, 0, 255)).save(file)


def test_add_list_show_train_remove() -> None:
    paint("pictures", 12)
    added = cli("data", "add", "mine", "pictures")
    assert added.exit_code == 0, added.output
    assert "12, 8×8 colour" in added.stdout
    assert "even, odd" in added.stdout
    rows = {row["name"]: row for row in as_json(cli("data", "list", "--json"))}
    assert rows["mine"]["images"] == 12
    keys = {"name", "origin", "images", "classes", "domains", "channels", "height", "width"}
    assert keys <= set(rows["mine"])
    assert rows["mine"]["classes"] == ["even", "odd"]
    assert (rows["mine"]["channels"], rows["mine"]["height"], rows["mine"]["width"]) == (3, 8, 8)
    assert "8×8 colour" in cli("data", "list").stdout
    assert as_json(cli("data", "show", "mine", "--json"))["kind"] == "user"
    trained = cli("train", "tinygan", "mine", "--batch-size", "4", "--steps", "2", "--device", "cpu", "--samples", "4")
    assert trained.exit_code == 0, trained.output
    assert "mine is forgotten" in cli("data", "remove", "mine").stdout
    assert "There is no data set 'mine'" in refusal(cli("data", "show", "mine"))
    assert "type: ganzoo data add mine " in refusal(cli("extend", "runs/tinygan-mine-1", "--steps", "2"))
    assert Path("pictures/even/0.png").exists()


def test_many_classes_are_counted_when_they_are_added_and_all_named_when_asked_for() -> None:
    for number in range(40):
        file = Path("pictures", f"kind{number:02d}", f"{number}.png")
        file.parent.mkdir(parents=True)
        Image.new("RGB", (8, 8), (number * 6, 0, 255)).save(file)
    Path("one.csv").write_text("file,age\n" + "".join(f"kind{n:02d}/{n}.png,{n}\n" for n in range(40)))
    added = cli("data", "add", "mine", "pictures").stdout
    assert "kind29 (1) and 10 more: ganzoo data show mine" in added
    assert "kind39 (1)" in cli("data", "show", "mine").stdout
    assert cli("data", "add", "ages", "pictures", "--labels", "one.csv").exit_code == 0
    assert " 1 number " in cli("data", "list").stdout


def test_domains_of_different_colours_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")  # no cell of the list is in two lines
    paint("colour", 8)
    Path("grey").mkdir()
    for file in Path("colour").rglob("*.png"):
        Image.open(file).convert("L").save(Path("grey", file.name))
    assert cli("data", "add", "mine", "edges=grey", "faces=colour").exit_code == 0
    for words in (("show", "mine"), ("list",)):
        assert "8×8 edges grey, faces colour" in cli("data", *words).stdout
    assert as_json(cli("data", "show", "mine", "--json"))["domain_channels"] == {"edges": 1, "faces": 3}


def test_files_that_cannot_be_read_are_named_at_the_end() -> None:
    paint("pictures", 8)
    Path("pictures/odd/broken.png").write_bytes(b"no picture")
    line = refusal(cli("data", "add", "mine", "pictures"), 1)
    assert "broken.png" in line
    assert "--skip-bad" in line
    added = cli("data", "add", "mine", "pictures", "--skip-bad")
    assert added.exit_code == 0
    assert "broken.png" in added.stdout.split("left out")[1]
    assert len(as_json(cli("data", "show", "mine", "--json"))["skipped"]) == 1


def test_bad_usage() -> None:
    paint("pictures", 8)
    paint("one", 1)
    Path("empty").mkdir()
    for words, line in (
        (["data", "lst"], "There is no command 'lst'; did you mean list? See `ganzoo data --help`."),
        (["data", "add", "mine"], "SOURCE is missing."),
        (["data", "add", "mine", "nothing"], "There is nothing at"),
        (["data", "add", "mine", "empty"], "There are no images in"),
        (["data", "add", "mine", "one"], "only one image"),
        (["data", "add", "a/b", "pictures"], "cannot name a data set"),
        (["data", "add", "mine", "pictures", "--fit", "crp"], "did you mean crop"),
        (["data", "show", "minne"], "There is no data set 'minne'"),
        (["data", "remove", "mine"], "No data set 'mine' was added"),
    ):
        assert line in refusal(cli(*words)), words
    assert cli("data").stdout == cli("data", "--help").stdout


def test_images_that_are_too_small() -> None:
    paint("pictures", 8, side=4)
    assert cli("data", "add", "mine", "pictures").exit_code == 0
    line = refusal(cli("train", "tinygan", "mine", "--resolution", "16", "--batch-size", "4"))
    assert "too small" in line
