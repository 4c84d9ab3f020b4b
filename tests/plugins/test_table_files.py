"""What people's tables hold: numbers with marks, counted rows, lines that are no rows; read, or said in a sentence."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_signal.signal import Signal
from ganzoo_table import files
from ganzoo_table.table import Table, TableOptions

from ganzoo import data
from ganzoo.contract.modality import Unreadable
from ganzoo.errors import UsageError

COUNT = 24


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


def table(path: Path, columns: dict[str, Sequence[object]], mark: str = ",", before: str = "") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(before)
        csv.writer(file, delimiter=mark).writerows([columns.keys(), *zip(*columns.values(), strict=True)])
    return path


MARKED = [
    (lambda n: f"1,{n:03d}", ",", [1000 + n for n in range(COUNT)], 0, ("", "")),
    (lambda n: f"{n}.5 %", ",", [n + 0.5 for n in range(COUNT)], 1, ("", " %")),
    (lambda n: f"$1,{n:03d}.99", ",", [1000.99 + n for n in range(COUNT)], 2, ("$", "")),
    (lambda n: f"{n},25 €", ";", [n + 0.25 for n in range(COUNT)], 2, ("", " €")),
    (lambda n: f"1.{n:03d},50", ";", [1000.5 + n for n in range(COUNT)], 2, ("", "")),
    (lambda n: f"{n}kg", ",", list(range(COUNT)), 0, ("", "kg")),
    (lambda n: f"-{n}.0e-9", ",", [-n * 1e-9 for n in range(COUNT)], 10, ("", "")),
    (lambda n: f"+{n}", "|", list(range(COUNT)), 0, ("", "")),
]


@pytest.mark.parametrize(("write", "mark", "values", "decimals", "marks"), MARKED)
def test_numbers_with_marks_are_numbers(tmp_path, write, mark, values, decimals, marks) -> None:
    words = ["ab"[n % 2] for n in range(COUNT)]
    file = table(tmp_path / "t.csv", {"x": [write(n) for n in range(COUNT)], "y": words}, mark)
    rows, details = files.read(file, [], [])
    column = details["columns"][0]
    assert (column["kind"], column["decimals"]) == ("number", decimals)
    assert (column.get("before", ""), column.get("after", "")) == marks
    assert rows[:, 0] == pytest.approx(np.array(values), rel=1e-6)
    made = Table(Table.fit(rows, details))

    texts = made.texts(made.encode(torch.from_numpy(rows)))
    assert all(text.startswith(marks[0]) and text.endswith(marks[1]) for text, _ in texts)
    files.write(texts, made.state, tmp_path / "out.csv")
    again, _ = files.read(tmp_path / "out.csv", [], [])
    assert again[:, 0] == pytest.approx(rows[:, 0], abs=0.02 * float(np.ptp(rows[:, 0])))
    assert ("".join(marks).strip() in Table.describe(details)["columns"]) or marks == ("", "")


@pytest.mark.parametrize("words", [["Q1", "Q2", "Q3"], ["1.5.2", "1.6.0"], ["10 kg", "12 lb"], ["12:30", "13:30"]])
def test_words_with_digits_stay_words(tmp_path: Path, words: list[str]) -> None:
    file = table(tmp_path / "t.csv", {"x": [words[n % len(words)] for n in range(COUNT)]})
    _, details = files.read(file, [], [])
    assert (details["columns"][0]["kind"], details["columns"][0]["values"]) == ("category", words)


def test_few_marked_numbers_are_categories_as_they_are_written(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", {"x": [("10%", "9%", "100%")[n % 3] for n in range(COUNT)]})
    _, details = files.read(file, [], [])
    assert details["columns"][0]["values"] == ["9%", "10%", "100%"]


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_columns_that_say_nothing_are_left_out_and_said(tmp_path: Path, name: str) -> None:
    columns = {
        name: range(COUNT),
        "x": [n / 3 for n in range(COUNT)],
        "e": [""] * COUNT,
        "id": [f"U{n}" for n in range(COUNT)],
    }
    file = table(tmp_path / "t.csv", columns)
    info = data.add("t", file, modality="table:without=id")
    assert [column["name"] for column in info.details["columns"]] == ["x"]
    said = Table.describe(info.details)["left out"]
    assert said == f"{name or 'column 1'}, which counts the rows; e, which is empty; id, which is not asked for"
    with pytest.raises(UsageError, match=r"column 'id' has 24 different texts .*--as table:without=id, or"):
        files.read(file, [], [])
    with pytest.raises(UsageError, match="no column 'di'"):
        Table.read_all(file, TableOptions(without="di"))


@pytest.mark.parametrize("before", ["sep=;\n", "# made in 2024\n# by hand\n"])
def test_lines_before_the_names(tmp_path: Path, before: str) -> None:
    file = table(tmp_path / "t.csv", {"x": [f"{n},5" for n in range(COUNT)], "y": range(COUNT)}, ";", before)
    rows, details = files.read(file, [], [])
    assert [column["name"] for column in details["columns"]] == ["x", "y"]
    assert rows[3].tolist() == [3.5, 3]


def test_a_heading_that_begins_with_a_mark_is_kept(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", {"#x": [n / 2 for n in range(COUNT)], "y": [n / 4 for n in range(COUNT)]})
    assert [column["name"] for column in files.read(file, [], [])[1]["columns"]] == ["#x", "y"]


def test_a_table_without_names_is_not_read_as_one_with(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,u\ny,v\n" * 12)
    with pytest.raises(UsageError, match=r"first line of .* looks like a row, with x; it should name the columns"):
        files.read(tmp_path / "t.csv", [], [])


def test_lines_of_text_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("anna\nbé\n", encoding="utf-16")
    info = data.add("n", tmp_path / "n.txt")
    assert (info.images, info.details["alphabet"]) == (2, "abné")


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"<html>", "is no sound of a kind that is known")])
def test_a_bad_sound_asks_for_no_package(monkeypatch: pytest.MonkeyPatch, content: bytes, said: str) -> None:

    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(Unreadable, match=said):
        Signal.read(content)


def test_of_a_wide_table_some_columns_are_named():
    details = {"columns": [{"name": f"c{at}", "kind": "number", "decimals": 0, "missing": False} for at in range(2000)]}
    said = Table.describe(details)["columns"]
    assert said.startswith("c0 (whole number), c1 (whole number), ")
    assert said.endswith("c39 (whole number) and 1,960 more")
