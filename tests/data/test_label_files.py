"""Files of labels: classes, attributes or numbers; what is none of these is refused with its line and column."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo import data
from ganzoo.data.label_files import LabelsFile, _tags, from_file
from ganzoo.errors import UsageError

NAMES = [f"{number:06d}.png" for number in range(6)]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "img"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(folder / name)
    return folder


def add(pictures: Path, text: str, suffix: str = ".csv", columns: Sequence[str] = ()) -> data.Info:
    file = pictures.parent / f"labels{suffix}"
    file.write_text(text, encoding="utf-8")
    data.remove("labelled") if "labelled" in {info.name for info in data.names()} else None
    return data.add("labelled", pictures, labels=file, label_columns=columns)


def labels() -> torch.Tensor:
    part = data.prepare("labelled").parts["train"]
    assert part.labels is not None
    return part.labels


def table(rows: Sequence[Sequence[object]], mark: str = ",", heading: Sequence[str] = ()) -> str:
    lines = [mark.join(heading)] if heading else []
    return "\n".join(lines + [mark.join(map(str, row)) for row in rows]) + "\n"


def test_celebas_list_is_attributes(pictures: Path) -> None:
    rows = [[name, f" {1 if number % 2 else -1}", -1 if number < 4 else 1] for number, name in enumerate(NAMES)]
    info = add(pictures, f"{len(NAMES)}\nMale Smiling\n" + table(rows, " "), ".txt")
    assert (info.classes, info.label_kind, info.label_names) == ((), "attributes", ("Male", "Smiling"))
    assert labels().tolist() == [[n % 2, float(n >= 4)] for n in range(6)]
    dataset = data.prepare("labelled")
    assert [mean for mean, _ in dataset.label_scale] == pytest.approx([0.5, 1 / 3])
    info = add(pictures, f"{len(NAMES)}\nMale Smiling\n" + table(rows, " "), ".txt", ["Smiling"])
    assert (info.classes, info.label_names) == (("-1", "1"), ())


@pytest.mark.parametrize("heading", [True, False])
def test_columns_of_0_and_1_are_attributes(pictures: Path, heading: bool) -> None:
    rows = [[name, number % 2, number % 3 % 2, 1] for number, name in enumerate(NAMES)]
    info = add(pictures, table(rows, ",", ("image_id", "a", "b", "c") if heading else ()))
    assert info.label_kind == "attributes"
    assert info.label_names == (("a", "b", "c") if heading else ("column1", "column2", "column3"))
    assert labels().tolist() == [[float(value) for value in row[1:]] for row in rows]


def test_columns_of_numbers_are_standardised(pictures: Path) -> None:
    rows = [[name, 10 * number, 0.5 - number] for number, name in enumerate(NAMES)]
    info = add(pictures, table(rows, ",", ("file", "age", "tilt")))
    assert (info.label_kind, info.label_names) == ("numbers", ("age", "tilt"))
    dataset, found = data.prepare("labelled"), labels()
    assert dataset.label_scale[0] == pytest.approx((25.0, 17.0782), abs=1e-3)
    assert found.mean(0).abs().max() < 1e-6
    assert found.std(0, correction=0) == pytest.approx(torch.ones(2))
    mean, spread = torch.tensor(dataset.label_scale).T
    assert (found * spread + mean)[3].tolist() == pytest.approx([30, -2.5])
    info = add(pictures, table(rows, ",", ("file", "age", "tilt")), columns=["tilt"])
    assert (info.label_kind, info.label_names) == ("numbers", ("tilt",))


def test_json_lists_are_numbers_or_one_hot_classes(pictures: Path) -> None:
    def dump(values: Sequence[object]) -> str:
        return json.dumps({"labels": [list(pair) for pair in zip(NAMES, values, strict=True)]})

    assert add(pictures, dump([[0.25 * n, 80.5] for n in range(6)]), ".json").label_names == ("column1", "column2")
    assert add(pictures, dump([0.25 * n for n in range(6)]), ".json").label_kind == "numbers"
    assert add(pictures, dump([[int(n % 3 == k) for k in range(3)] for n in range(6)]), ".json").classes == tuple("012")
    assert labels().tolist() == [0, 1, 2, 0, 1, 2]
    assert add(pictures, dump([n % 3 + 1 for n in range(6)]), ".json").classes == tuple("123")
    plain = json.dumps({name: number % 2 for number, name in enumerate(NAMES)})
    assert add(pictures, plain, ".json").classes == ("0", "1")


def test_true_and_false_in_several_columns_are_attributes(pictures: Path, tmp_path: Path) -> None:
    rows = {name: [number % 2 == 0, number > 2, True] for number, name in enumerate(NAMES)}
    assert add(pictures, json.dumps(rows), ".json").label_kind == "attributes"
    assert labels().tolist() == [[1, 0, 1], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1], [0, 1, 1]]
    images, target = np.zeros((6, 8, 8, 3), np.uint8), np.eye(6, 2, dtype=bool)
    np.savez(tmp_path / "told.npz", images=images + np.arange(6, dtype=np.uint8)[:, None, None, None], target=target)
    assert data.add("told", tmp_path / "told.npz").label_kind == "attributes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,label\n", "has a heading and no labels below it"),
        ("0\n1\n2\n0\n1\n2\n", "is not a list of labels; each line should read: filename,label"),
    ],
)
def test_what_has_no_labels_or_no_names_is_refused(pictures: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        add(pictures, text)


def test_an_array_of_one_picture_is_no_data_set(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(UsageError, match=r"has one picture, of shape \[16, 16, 3\]"):
        data.add("one", tmp_path / "one.npy")


ROWS = [[name, "abc"[number % 3]] for number, name in enumerate(NAMES)]


@pytest.mark.parametrize(
    "text",
    [
        table(ROWS, ";", ("file", "label")),
        table(ROWS, "\t"),
        table([[*row, ""] for row in ROWS]),
        table([[name[:-4], label] for name, label in ROWS], ",", ("id", "label")),
        table([[number, *row] for number, row in enumerate(ROWS)], ",", ("", "file", "label")),
    ],
    ids=["semicolon", "tab", "trailing comma", "without suffix", "index column"],
)
def test_one_column_of_names_is_classes(pictures: Path, text: str) -> None:
    assert add(pictures, text).classes == ("a", "b", "c")
    assert labels().tolist() == [0, 1, 2, 0, 1, 2]


def json_of(values: Sequence[object], **more: object) -> str:
    return json.dumps({"labels": [list(pair) for pair in zip(NAMES, values, strict=True)], **more})


@pytest.mark.parametrize(
    "text",
    [
        table(ROWS, "|", ("file", "label")),
        table(ROWS, " "),
        table([[f"./{name}", label] for name, label in ROWS]),
        table([[f"img\\{name}", label] for name, label in ROWS]),
        table([[f"data/img/{name}", label] for name, label in ROWS]),
        table([[f"./data/img/{name}", label] for name, label in ROWS]),
        table([[f"/data/img/{name}", label] for name, label in ROWS]),
        "\ufeff" + table(ROWS, ",", ("file", "label")),
        table([*ROWS, ROWS[2]]),
        table([[f'"{name}"', f'"{label}"'] for name, label in ROWS]),
    ],
    ids=["bar", "space", "./", "backslash", "folders", "./folders", "absolute", "BOM", "twice the same", "quoted"],
)
def test_however_it_is_written(pictures: Path, text: str) -> None:
    assert add(pictures, text).classes == ("a", "b", "c")
    assert labels().tolist() == [0, 1, 2, 0, 1, 2]


def test_names_that_look_alike_are_the_same(tmp_path: Path) -> None:
    name = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    typed, of_macos = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert from_file_of(tmp_path, [[f"{typed}.png", "a"], ["b.png", "b"]], [f"{of_macos}.png", "b.png"]) == ("a", "b")
    assert from_file_of(tmp_path, [["a.png", of_macos], ["b.png", "b"]], ["a.png", "b.png"]) == ("b", typed)


def from_file_of(folder: Path, rows: Sequence[Sequence[str]], names: Sequence[str]) -> tuple[str, ...]:
    (folder / "some.csv").write_text(table(rows), encoding="utf-8")
    return from_file(LabelsFile(folder / "some.csv"), names).classes


def test_text_as_spreadsheets_save_it(pictures: Path) -> None:
    file = pictures.parent / "sheet.txt"
    file.write_text(table(ROWS, "\t", ("file", "label")), encoding="utf-16")
    assert data.add("sheet", pictures, labels=file).classes == ("a", "b", "c")


def test_rows_of_other_images_are_named_and_left_out(pictures: Path) -> None:
    info = add(pictures, table([["x.png", "a"], *ROWS, ["z.png", "d"]]))
    assert info.classes == ("a", "b", "c")
    assert "of images that are not there: x.png, z.png." in info.layout[-1]
    assert info.layout[-1].startswith("2 rows are left out")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*ROWS, ["000001.png", "c"]], "line 8, column 'label': 000001.png has another label than in line 3"),
        ([*ROWS[:3], ["000003.png", ""], *ROWS[4:]], "line 5, column 'label': there is no label"),
        ([*ROWS[:3], ["000003.png", "NaN"], *ROWS[4:]], "line 5, column 'label': there is no label"),
    ],
)
def test_contradictory_and_empty_labels_are_refused(pictures: Path, rows: list[list[str]], said: str) -> None:
    with pytest.raises(UsageError) as error:
        add(pictures, table(rows, ",", ("file", "label")))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 1, 2, 0, 1, 3], "entry 6: the label 3 is none of the 3 classes; they are numbered from 0 to 2"),
        ([0, 1, 2, 0, -1, 2], "entry 5: the label -1 is none of the 3 classes"),
        ([0, 1, None, 0, 1, 2], "entry 3: there is no label"),
        (
            [[1, 0], [0, 1, 0], [1, 0], [1, 0], [1, 0], [1, 0]],
            "entry 2: 3 numbers for 000001.png, and 2 for",
        ),
    ],
)
def test_json_labels_that_cannot_be_are_refused_with_their_entry(
    pictures: Path, values: list[object], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        add(pictures, json_of(values, classes=["a", "b", "c"]), ".json")
    assert said in str(error.value)


def test_one_hot_columns_are_classes_under_their_names(pictures: Path) -> None:
    hot = [[int(n % 3 == k) for k in range(3)] for n in range(6)]
    rows = [[name, *values] for name, values in zip(NAMES, hot, strict=True)]
    info = add(pictures, table(rows, ",", ("file", "cat", "dog", "owl")))
    assert (info.classes, info.label_kind) == (("cat", "dog", "owl"), "")
    assert labels().tolist() == [0, 1, 2, 0, 1, 2]
    assert add(pictures, json_of(hot, classes=["x", "y", "z"]), ".json").classes == ("x", "y", "z")
    images = np.zeros((6, 8, 8), np.uint8)
    images[:, 0, 0] = range(6)
    for values in (np.array(hot), np.arange(6) % 3, np.arange(6)[:, None] % 3, (np.arange(6) % 3).astype(np.float32)):
        np.savez(pictures.parent / "set.npz", images=images, labels=values)
        data.remove("arrays") if "arrays" in {info.name for info in data.names()} else None
        assert data.add("arrays", pictures.parent / "set.npz").classes == ("0", "1", "2")
    np.savez(pictures.parent / "set.npz", images=images, labels=np.array([0.5, np.nan, 1, 2, 3, 4]))
    with pytest.raises(UsageError, match="row 1: there is no label"):
        data.add("broken", pictures.parent / "set.npz")


def test_values_that_do_not_repeat_are_no_classes(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    names = [f"{number:03}.png" for number in range(24)]
    for number, name in enumerate(names):
        Image.new("L", (8, 8), number).save(tmp_path / "img" / name)
    file = tmp_path / "labels.csv"
    file.write_text(table([[name, 3 * number] for number, name in enumerate(names)], ",", ("file", "age")))
    info = data.add("ages", tmp_path / "img", labels=file)
    assert (info.classes, info.label_kind, info.label_names) == ((), "numbers", ("age",))
    assert info.layout[-1] == "24 different labels for 24 items are taken as numbers, not classes."
    file.write_text(table([[name, f"photo {name}"] for name in names], ",", ("file", "title")))
    with pytest.raises(UsageError, match=r"line 2, column 'title': 24 different words for 24 items are no classes"):
        data.add("titles", tmp_path / "img", labels=file)


def test_a_class_of_one_image_and_copies_are_said(tmp_path: Path) -> None:
    for folder, count in (("a", 11), ("b", 1)):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for number in range(count):
            Image.new("L", (8, 8), 9).save(tmp_path / "set" / folder / f"{number}.png")
    info = data.add("copies", tmp_path / "set")
    assert "Only 1 of 12 items are different, byte by byte; the others are copies." in info.notes
    assert "There is one image or none to train on of the class b." in info.notes


def test_what_is_neither_is_refused_with_line_and_column(pictures: Path) -> None:
    rows: list[list[object]] = [[name, number / 3, 1] for number, name in enumerate(NAMES)]
    rows[2][2] = "red"
    text = table(rows, ",", ("file", "age", "colour"))
    with pytest.raises(UsageError, match=r"labels.csv, line 4, column 'colour': 'red' is no number"):
        add(pictures, text)
    assert add(pictures, text, columns=["age"]).label_names == ("age",)
    with pytest.raises(UsageError, match="has no column 'agee'; did you mean age"):
        add(pictures, text, columns=["agee"])
    rows[4][1] = "n/a"
    with pytest.raises(UsageError, match=r"line 6, column 'age': 'n/a' is no number"):
        add(pictures, table(rows, ",", ("file", "age", "colour")), columns=["age"])
    with pytest.raises(UsageError, match=r"line 3: 2 columns, and 3 in the lines before"):
        add(pictures, table([rows[0], rows[1][:2], *rows[2:]], ",", ("file", "age", "colour")))
    with pytest.raises(UsageError, match="--label-column names columns of the labels file"):
        data.add("none", pictures, label_columns=["age"])


CLASSES = ["dog", "cat", "cat", "dog", "dog", "cat"]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".json", json.dumps([[name, kind] for name, kind in zip(NAMES, CLASSES, strict=True)])),
        (".json", json.dumps({"labels": dict(zip(NAMES, CLASSES, strict=True))})),
        (".json", json.dumps([{"file": name, "label": kind} for name, kind in zip(NAMES, CLASSES, strict=True)])),
        (".jsonl", "".join(json.dumps({"file_name": name, "kind": kind}) + "\n"
                           for name, kind in zip(NAMES, CLASSES, strict=True))),
        (".csv", "file , kind \n" + table(list(zip(NAMES, CLASSES, strict=True)), " , ")),
    ],
)  # fmt: skip
def test_lists_and_objects_and_spaces_around_are_read(pictures: Path, suffix: str, text: str) -> None:
    assert add(pictures, text, suffix).classes == ("cat", "dog")
    assert labels().tolist() == [1, 0, 0, 1, 1, 0]


@pytest.mark.parametrize("heading", [("file", "a", "b"), ()])
def test_a_comma_is_that_of_a_fraction_where_semicolons_part_the_columns(
    pictures: Path, heading: Sequence[str]
) -> None:
    rows = [(name, f"{number},5", f"-0,{number}") for number, name in enumerate(NAMES)]
    assert add(pictures, table(rows, ";", heading)).label_kind == "numbers"
    assert labels()[:, 0].diff().std() < 1e-6
    assert add(pictures, table([row[:2] for row in rows], ";", heading[:2])).label_kind == "numbers"


def test_long_numbers_stay_apart_and_infinite_ones_are_refused(pictures: Path) -> None:
    long = [10**30 + number % 2 for number in range(6)]
    assert add(pictures, table(list(zip(NAMES, long, strict=True)))).classes == (str(10**30), str(10**30 + 1))
    ages = [20.5, 21, 22, "inf", 23, 24]
    with pytest.raises(UsageError, match=r"line 4.*'inf' is no number that can be learned from"):
        add(pictures, table(list(zip(NAMES, ages, strict=True))))


@pytest.mark.parametrize(
    ("suffix", "text", "said"),
    [
        (".json", json.dumps({name: {"age": 3} for name in NAMES}), "entry 1: a label is a word, a number, or a list"),
        (
            ".json",
            json.dumps([{"file": name, "x" * number: 1} for number, name in enumerate(NAMES)]),
            "same keys",
        ),
        (".csv", table([(name, 1, 1) for name in NAMES], heading=("file", "a", "a")), "2 columns called a"),
    ],
)
def test_labels_that_say_too_much_are_refused(pictures: Path, suffix: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        add(pictures, text, suffix)


def test_labels_of_bytes_are_their_words(tmp_path: Path) -> None:
    images = np.arange(6, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([b"cat", b"dog"] * 3))
    assert data.add("bytes", tmp_path / "a.npz").classes == ("cat", "dog")
    np.savez(tmp_path / "b.npz", images=images[:0])
    with pytest.raises(UsageError, match=r"has no images: its array has the shape \[0, 8, 8"):
        data.add("none", tmp_path / "b.npz")


def test_numbers_with_leading_zeros_are_names(pictures: Path) -> None:
    """007 and 7 became one class."""
    assert add(pictures, table(list(zip(NAMES, ["007", "7"] * 3, strict=True)))).classes == ("007", "7")
    assert labels().tolist() == [0, 1] * 3
    assert add(pictures, table(list(zip(NAMES, ["01", "02"] * 3, strict=True)))).classes == ("01", "02")


KINDS = dict(zip(NAMES, CLASSES, strict=True))
POSITIONS = {name: int(kind == "dog") for name, kind in KINDS.items()}
LINES = "".join(json.dumps({"file": name, "label": kind}) + "\n" for name, kind in KINDS.items())


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".csv", table(list(KINDS.items())).replace("\n", "\r")),
        (".txt", json.dumps(KINDS)),
        (".ndjson", LINES),
        (".json", LINES),
        (".json", json.dumps({"labels": POSITIONS, "classes": {"1": "dog", "0": "cat"}})),
        (".json", json.dumps({"labels": POSITIONS, "classes": {"dog": 1, "cat": 0}})),
    ],
    ids=["CR", "JSON in a text file", "ndjson", "lines in .json", "classes by number", "classes by name"],
)
def test_other_ways_to_write_it(pictures: Path, suffix: str, text: str) -> None:
    assert add(pictures, text, suffix).classes == ("cat", "dog")
    assert labels().tolist() == [1, 0, 0, 1, 1, 0]


def test_keys_of_json_are_columns_that_can_be_chosen(pictures: Path) -> None:
    rows = [{"file": name, "kind": kind, "box": [1, 2], "hot": [int(kind == "cat"), int(kind == "dog")]}
            for name, kind in KINDS.items()]  # fmt: skip
    assert add(pictures, json.dumps(rows), ".json", ["kind"]).classes == ("cat", "dog")
    assert labels().tolist() == [1, 0, 0, 1, 1, 0]
    assert add(pictures, json.dumps(rows), ".json", ["hot"]).classes == ("0", "1")
    assert labels().tolist() == [1, 0, 0, 1, 1, 0]
    with pytest.raises(
        UsageError, match="entry 1, column 'box': a label is a word, a number, or a list of numbers, no"
    ):
        add(pictures, json.dumps(rows), ".json")
    with pytest.raises(UsageError, match=r"--label-column names columns or keys, and .* has none"):
        add(pictures, json.dumps(KINDS), ".json", ["kind"])


def test_true_and_false_as_pandas_writes_them_are_attributes(pictures: Path) -> None:
    rows = [(name, number % 2 == 0, str(number > 2).upper()) for number, name in enumerate(NAMES)]
    assert add(pictures, table(rows, heading=("file", "even", "high"))).label_kind == "attributes"
    assert labels().tolist() == [[float(n % 2 == 0), float(n > 2)] for n in range(6)]


@pytest.mark.parametrize(
    ("suffix", "text", "said"),
    [
        (".csv", table([*zip(NAMES, ["cat", "N/A"] * 3, strict=True)]), "line 2: 'N/A' is no label"),
        (".csv", table([*zip(NAMES, ["cat", "?"] * 3, strict=True)]), r"line 2: '\?' is no label"),
        (".csv", "PK\3\4\0\0", "is no text; save it as CSV"),
        (".json", json.dumps(KINDS)[:-1] + f', "{NAMES[0]}": "cat"}}', "'000000.png' twice, with 'dog' and 'cat'"),
        (".jsonl", LINES + "{oops\n", "line 7: this is no JSON"),
        (".json", json.dumps({"images": [{"id": 1, "file_name": NAMES[0]}], "annotations": []}), "it should read"),
        (".json", json.dumps({name: ["a", 1] for name in NAMES}), "'a' is no number, .*; give one of them"),
        (".json", json.dumps({"labels": POSITIONS, "classes": {"0": "cat", "2": "dog"}}), "is not a list of labels"),
    ],
    ids=["N/A", "?", "binary", "two labels of one key", "a bad line", "COCO", "mixed lists", "classes with a gap"],
)
def test_what_cannot_be_labels_is_refused(pictures: Path, suffix: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        add(pictures, text, suffix)


def test_what_may_be_labels_beside_the_pictures_is_pointed_at(pictures: Path) -> None:
    """Hugging Face's metadata.jsonl was only counted among files of other kinds."""
    (pictures / "metadata.jsonl").write_text(LINES)
    said = f"No labels are taken. Where {pictures / 'metadata.jsonl'} has them, type: --labels "
    assert any(line.startswith(said) for line in data.add("hinted", pictures).layout)
    assert not any(line.startswith(said) for line in data.add("silent", pictures, labels="none").layout)
    assert data.add("typed", pictures, labels=pictures / "metadata.jsonl").classes == ("cat", "dog")


def test_classes_that_differ_in_capitals_are_said_once(pictures: Path) -> None:
    info = add(pictures, table([*zip(NAMES, ["cat", "Cat"] * 3, strict=True)]))
    assert info.layout == ("The classes Cat and cat differ in capitals alone.",)


@pytest.mark.parametrize("option", ["labels", "pairs"])
def test_an_option_that_a_script_left_empty_is_refused(pictures: Path, option: str) -> None:
    """It took the labels away without a word."""
    with pytest.raises(UsageError, match=f"--{option} is empty"):
        data.add("empty", pictures, **{option: ""})


@pytest.mark.parametrize("listed", ["{name}", "train/{name}", "{stem}"])
def test_what_is_held_out_may_have_no_label(pictures: Path, listed: str) -> None:
    for part in ("train", "test"):
        (pictures / part).mkdir()
        for place, name in enumerate(NAMES[: 6 if part == "train" else 3]):
            Image.new("RGB", (8, 8), (0, 40 * place, len(part))).save(pictures / part / name)
    for name in NAMES:
        (pictures / name).unlink()
    lines = [listed.format(name=name, stem=name[:-4]) + f",{'ab'[place % 2]}" for place, name in enumerate(NAMES)]
    info = add(pictures, "\n".join(["id,label", *lines]))
    assert (info.images, info.held_out, dict(info.class_counts)) == (6, 0, {"a": (3, 0), "b": (3, 0)})
    assert labels().tolist() == [0, 1] * 3
    assert info.skipped_files == tuple(f"test/{name} is held out and has no label" for name in NAMES[:3])
    assert info.layout[-1] == "3 images that are held out have no label, and are left out."
    with pytest.raises(UsageError, match=r"no label for train/000005\.png; add"):
        add(pictures, "\n".join(lines[:5]))


@pytest.mark.parametrize(
    ("heading", "words"),
    [("split", ("train", "test")), ("Subset", ("training", "val")), ("partition", ("0", "2"))],
)
def test_a_column_says_what_is_held_out(pictures: Path, heading: str, words: tuple[str, str]) -> None:
    rows = [[name, "abb"[place % 3], words[place > 3]] for place, name in enumerate(NAMES)]
    info = add(pictures, table(rows, ",", ("file", "label", heading)))
    assert dict(info.class_counts) == {"a": (2, 0), "b": (2, 2)}
    assert labels().tolist() == [0, 1, 1, 0]
    assert info.layout == (f"{pictures.parent / 'labels.csv'} says which images are held out.",)
    alone = add(pictures, table([[row[0], row[2]] for row in rows], ",", ("file", heading)))
    assert (alone.classes, alone.held_out, alone.trained) == ((), 2, 4)
    both = add(pictures, table(rows, ",", ("file", "label", heading)), columns=["label"])
    assert both.held_out == 2
    as_label = add(pictures, table(rows, ",", ("file", "label", heading)), columns=[heading])
    assert (as_label.classes, as_label.held_out) == (tuple(sorted(words)), 0)


def test_lines_that_are_no_rows_and_words_that_are_0_and_1(pictures: Path) -> None:
    rows = [[name, "yes" if place % 2 else "no", "No" if place % 3 else "Yes"] for place, name in enumerate(NAMES)]
    for before in ("sep=;\n", "# from the lab\n# in 2024\n"):
        info = add(pictures, before + table(rows, ";", ("file", "smiles", "male")))
        assert (info.label_kind, info.label_names) == ("attributes", ("smiles", "male"))
        assert labels().tolist() == [[place % 2, float(place % 3 == 0)] for place in range(6)]


def test_attributes_in_a_text_are_pointed_at(pictures: Path) -> None:
    for name in ("list_attr_celeba.txt", "readme.txt", "notes.csv"):
        (pictures / name).write_text("x")
    info = data.add("labelled", pictures)
    assert info.layout[-1].endswith(f"type: --labels {pictures / 'list_attr_celeba.txt'}")


def test_the_list_of_the_training_part_is_pointed_at(pictures: Path) -> None:
    for part in ("test", "train"):
        (pictures / part).mkdir()
        for place, name in enumerate(NAMES[:3]):
            Image.new("RGB", (8, 8), (0, 40 * place, len(part))).save(pictures / part / name)
        (pictures / part / "metadata.csv").write_text("file_name,label\n")
    for name in NAMES:
        (pictures / name).unlink()
    info = data.add("labelled", pictures)
    assert info.layout[-1].endswith(f"type: --labels {pictures / 'train' / 'metadata.csv'}")


@pytest.mark.parametrize("written", ["{}", "{}.png", "{:02}", "{:09}.jpg", "{}.0"])
@pytest.mark.parametrize("stored", ["{:06}.png", "{}.png"])
def test_zeros_before_a_number_make_no_other_name(tmp_path: Path, written: str, stored: str) -> None:
    names = [stored.format(number) for number in range(1, 12)]
    for rows in (
        [[written.format(number), number % 2] for number in range(1, 12)],
        [[number % 2, written.format(number)] for number in range(1, 12)],  # a class is no name
    ):
        (tmp_path / "l.csv").write_text(table(rows))
        found = from_file(LabelsFile(tmp_path / "l.csv"), names)
        assert (found.classes, found.of) == (("0", "1"), [number % 2 for number in range(1, 12)])


def test_a_number_that_two_files_could_mean_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("001,a\n02.png,b\n")
    with pytest.raises(UsageError, match="which the source does not have"):
        from_file(LabelsFile(tmp_path / "l.csv"), ["1.png", "01.png", "2.png", "0002.png"])


def test_a_list_of_parts_by_its_name_says_what_is_held_out(pictures: Path) -> None:
    file = pictures.parent / "list_eval_partition.txt"
    file.write_text(table([*zip(NAMES, "000012", strict=True)], " "))
    info = data.add("parts", pictures, labels=file)
    assert (info.classes, info.label_names, info.held_out, info.trained) == ((), (), 2, 4)


def test_a_list_of_names_alone_is_refused(pictures: Path) -> None:
    with pytest.raises(UsageError, match="has no column beside the images' names"):
        add(pictures, table([*enumerate(NAMES, 1)], " "), ".txt")


def test_columns_of_few_whole_numbers_may_be_classes_and_it_is_said(pictures: Path) -> None:
    info = add(pictures, table([[name, number % 3 + 1, number, 7] for number, name in enumerate(NAMES)], " "))
    assert info.label_kind == "numbers"
    said = "The columns column1, column2, column3 are taken as numbers; where column1 is a class, type: "
    assert info.layout[-1] == f"{said}--label-column column1"


@pytest.mark.parametrize(("column", "train"), [("is_train", "1"), ("is_valid", "False"), ("isTest", "0")])
def test_a_column_that_asks_for_the_part_holds_out(pictures: Path, column: str, train: str) -> None:
    other = {"1": "0", "0": "1", "False": "True"}[train]
    rows = [[name, number % 2, train if number < 4 else other] for number, name in enumerate(NAMES)]
    info = add(pictures, table(rows, heading=("file", "label", column)))
    assert (info.classes, info.held_out, info.trained) == (("0", "1"), 2, 4)


def test_numbers_of_classes_are_no_names_of_files_elsewhere(pictures: Path) -> None:
    info = add(pictures, table([[f"/home/me/set/{name}", number % 2] for number, name in enumerate(NAMES)]))
    assert (info.classes, info.images) == (("0", "1"), 6)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".csv", "file,label\n0.png,cat|dog\n1.png,cat\n2.png,dog\n3.png,\n4.png,cow|cat\n5.png,dog\n"),
        (".csv", "file,label\n0.png,cat;dog\n1.png,cat\n2.png,dog\n3.png,\n4.png,cow; cat\n5.png,dog\n"),
        (".csv", "file;label\n0.png;cat|dog\n1.png;cat\n2.png;dog\n3.png;\n4.png;cow|cat\n5.png;dog\n"),
        (".csv", '0.png,"cat,dog"\n1.png,cat\n2.png,dog\n3.png,\n4.png,"cow,cat"\n5.png,"dog,cow"\n'),
        (
            ".csv",
            "0.png,\"['cat', 'dog']\"\n1.png,\"['cat']\"\n2.png,\"['dog']\"\n3.png,\"[]\"\n"
            "4.png,\"['cow', 'cat']\"\n5.png,\"['dog']\"\n",
        ),
        (
            ".json",
            json.dumps(dict(zip(NAMES, [["cat", "dog"], ["cat"], ["dog"], [], ["cow", "cat"], ["dog"]], strict=True))),
        ),
    ],
    ids=["bars", "semicolons", "bars between semicolons", "commas", "lists of pandas", "lists"],
)
def test_several_labels_in_one_cell_are_attributes(pictures: Path, suffix: str, text: str) -> None:
    """Each combination was a class of its own."""
    info = add(pictures, text, suffix)
    assert (info.classes, info.label_kind, info.label_names) == ((), "attributes", ("cat", "cow", "dog"))
    last = [0, 1, 1] if "dog,cow" in text else [0, 0, 1]
    assert labels().tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0], last]
    assert any("several labels" in sentence for sentence in info.layout)
    assert "1 of 6 have none of the labels." in info.layout


def test_numbers_of_labels_in_one_cell_are_attributes_and_a_name_with_a_comma_is_none(pictures: Path) -> None:
    rows = zip(NAMES, ["16 0", "1", "0", "16", "5 0", "1"], strict=True)
    assert add(pictures, table(rows, ",", ("Id", "Target"))).label_names == ("0", "1", "5", "16")
    tench, fish = "tench, Tinca tinca", "goldfish, Carassius auratus"
    rows = zip(NAMES, [tench, fish] * 3, strict=True)
    assert add(pictures, table(rows, "\t", ("file", "label"))).classes == (fish, tench)
    assert add(pictures, table(zip(NAMES, ["light red", "dark red"] * 3, strict=True))).classes == (
        "dark red",
        "light red",
    )


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["clear", "clear primary", "clear primary water", "haze", "haze primary", "clear"], "clear primary water"),
        (["cat dog", "dog cat", "cat", "dog", "cow", "cow"], "cat dog"),
        (["red fox", "arctic fox", "grey wolf", "red fox", "arctic fox", "grey wolf"], ""),
        (["fox", "red fox", "grey wolf", "great tit", "red fox", "fox"], ""),
    ],
)
def test_labels_of_several_words_are_classes_and_said_where_they_may_be_several(pictures, cells, said) -> None:
    info = add(pictures, table(zip(NAMES, cells, strict=True)))
    assert set(info.classes) == {*cells}
    notes = [sentence for sentence in info.layout if "write | between them" in sentence]
    assert [f"such as {said}," in sentence for sentence in notes] == [True] * bool(said)


def test_many_classes_of_several_words_are_looked_through_at_once() -> None:
    """Each was compared with every other: 26 seconds for 4,000."""
    assert _tags([f"a{at % 200} b{at // 200} c{at}" for at in range(40_000)]) == ""


def test_halves_with_a_comma_between_tabs_are_numbers(pictures: Path) -> None:
    add(pictures, table(zip(NAMES, ["0,5", "1,5", "2,25", "0,1", "0,2", "3,0"], strict=True), "\t", ("file", "age")))
    mean, deviation = data.prepare("labelled").label_scale[0]
    assert (labels()[:3].flatten() * deviation + mean).tolist() == pytest.approx([0.5, 1.5, 2.25])
