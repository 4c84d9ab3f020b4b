"""Files of labels: CSV, CelebA's list_attr_celeba.txt, StyleGAN's dataset.json; and arrays of labels.

One column is a class where it repeats words or whole numbers, else numbers; several are a class where each row has one
1 and else 0 (one-hot), attributes where all are 0 and 1 (or -1 and 1), or numbers. Several words in one cell, cat|dog,
are attributes. What is none of these is refused.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

from ganzoo.data.kinds import is_image, part_of
from ganzoo.data.labels import Labels, composed, label_list, listed, lookup_of, unpadded, without_wrapper
from ganzoo.errors import UsageError, printable, suggest
from ganzoo.files import load_json, read_text

_DECIMAL = re.compile(r"^([+-]?\d+),(\d+)$")
_PADDED = re.compile(r"[+-]?0\d")  # 007 and 7 are two names
_NOTHING = ("na", "n/a", "<na>", "#n/a", "?")  # what tables write for what they do not have
_PARTS = ("split", "subset", "partition", "part", "set", "phase")  # columns that say train or test
_FLAGS = re.compile("is_?(train|val|test)", re.IGNORECASE)  # columns that say so by true and false, 1 and 0
CLASS_KEYS = ("classes", "class_names", "label_names", "target_names")  # of names for the labels 0, 1, …
_SEVERAL = "|;,"  # between the labels of one cell
_NUMBERS = re.compile(r"\d+( \d+)*")
MANY = 10  # different values that are classes however few items each has


@dataclass(frozen=True)
class LabelsFile:
    """A file of labels that a user gave, and the columns to take of it, by their heading; () for all."""

    path: Path
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of labels as a file has them: the item's name, the line, and a value a column.

    Attributes:
        headed: whether the columns have names of their own.
        classes: names of the numbers 0, 1, …; () where the file does not say.
        unit: what a row is called, "line", "entry" or "row".
        held_out: names of the items that a column says are kept for scoring.
    """

    where: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, int, Sequence[Any]]]
    headed: bool = True
    classes: Sequence[str] = ()
    unit: str = "line"
    held_out: frozenset[str] = frozenset()

    def at(self, line: int, column: str = "") -> str:
        """Where a value is, for an error."""
        named = f", column {column!r}" if column and (len(self.columns) > 1 or self.headed) else ""
        return f"{self.where}, {self.unit} {line}{named}"


def from_file(file: LabelsFile, names: Sequence[str], apart: Collection[int] = ()) -> Labels:
    """Labels from .json, .csv or CelebA's .txt.

    Args:
        apart: items that are held out, and may have no label, as where a competition keeps these to itself.
    Raises:
        UsageError: there is no such file, it cannot be read, or does not cover all images.
    """
    path, columns = file.path, file.columns
    try:
        text = read_text(path)
    except OSError as error:
        raise UsageError(f"Cannot read the labels file {path}; give a CSV file (filename,label) or JSON.") from error
    except ValueError as error:
        raise UsageError(
            f"The labels file {path} {error}; save it as CSV (filename,label) or JSON in UTF-8."
        ) from error
    first, last = text.strip()[:1], text.strip()[-1:]
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson") or first + last in ("{}", "[]"):
        return from_json(text, names, str(path), columns, apart)
    return _matched(_chosen(_csv_table(text, _trained(names, apart), str(path)), columns), names, apart)


def _trained(names: Sequence[str], apart: Collection[int]) -> Sequence[str]:
    """Those that need a label, and whose names are looked for in a file."""
    return [name for index, name in enumerate(names) if index not in apart]


def from_json(
    text: bytes | str, names: Sequence[str], where: str, columns: Sequence[str] = (), apart: Collection[int] = ()
) -> Labels:
    """Labels from a ``dataset.json``: {"labels": [["00000/img.png", 6], …]}, null when there are none; a label may be a
    list of numbers. A plain {"img.png": 6, …} goes too, a list of pairs, [{"file": "img.png", "label": 6}, …], and one
    such object in each line.

    A key "classes" (or another of `CLASS_KEYS`) names the numbers 0, 1, …: a list, {"cat": 0, …}, or {"0": "cat", …}.

    Raises:
        UsageError: it is not such a file, or does not cover all images.
    """
    try:
        value = _parsed(text, where)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            table = _chosen(_records(value, _trained(names, apart), where), columns)
            if not all(len(row) == 1 and isinstance(row[0], list) for *_, row in table.rows):
                return _matched(table, names, apart)
            value, columns = [(name, row[0]) for name, _, row in table.rows], ()
        if columns:
            raise UsageError(f"--label-column names columns or keys, and {where} has none; leave it out.")
        given = value if isinstance(value, list) else value.get("labels", value)
        if given is value and isinstance(value, dict) and any(isinstance(each, list | dict) for each in value.values()):
            known = lookup_of(names)
            if not any(_plain(str(name)) in known for name in value):
                raise ValueError("these are no names of images, as in COCO's files")
        given = [*given.items()] if isinstance(given, dict) else given
        pairs = [] if given is None else [(str(name), label) for name, label in given]
        said = value if isinstance(value, dict) and "labels" in value else {}
        class_names = _class_names(next((said[key] for key in CLASS_KEYS if key in said), None))
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}, line {error.lineno}: this is no JSON ({error.msg}); mend it there.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f'{where} is not a list of labels; it should read {{"labels": [["folder/image.png", 6], …]}}, or '
            f'{{"folder/image.png": "cat", …}}.'
        ) from error
    rows = [(name, line, _row(label)) for line, (name, label) in enumerate(pairs, 1)]
    if not rows:
        return Labels()
    width = len(rows[0][2])
    for name, line, values in rows:
        if len(values) != width:
            raise UsageError(f"{where}, entry {line}: {len(values)} numbers for {name}, and {width} for {rows[0][0]}.")
    columns = ("label",) if width == 1 else tuple(f"column{place + 1}" for place in range(width))
    return _matched(Table(where, columns, rows, False, class_names, "entry"), names, apart)


def _row(label: Any) -> list[Any]:
    """The columns of an entry's label; a list of words is one cell of several."""
    if not isinstance(label, list):
        return [label]
    return ["|".join(label)] if all(isinstance(each, str) for each in label) else label


def _parsed(text: bytes | str, where: str) -> Any:
    """JSON, or the objects of JSON Lines as a list. Raises: UsageError for a key that says two things."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, each in pairs:
            if key in merged and merged[key] != each:
                raise UsageError(f"{where} says {key!r} twice, with {merged[key]!r} and {each!r}; leave one of them.")
            merged[key] = each
        return merged

    try:
        return load_json(text, once)
    except json.JSONDecodeError as error:
        lines = (text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text).splitlines()
        if error.msg != "Extra data" or not lines[0].lstrip().startswith("{"):
            raise
        objects = []
        for number, line in enumerate(lines, 1):
            try:
                objects += [load_json(line, once)] if line.strip() else []
            except json.JSONDecodeError as error:
                raise UsageError(f"{where}, line {number}: this is no JSON ({error.msg}); mend it there.") from error
        return objects


def _class_names(given: Any) -> list[str]:
    """The names of 0, 1, …, of a list or of either kind of dictionary. Raises: ValueError for what is none of them."""
    if isinstance(given, dict):
        if all(type(each) is int for each in given.values()):
            given = {number: name for name, number in given.items()}
        place = {int(number): name for number, name in given.items()}
        given = [place[number] for number in range(len(place))]
    return [str(name) for name in given or ()]


def _records(value: Sequence[Any], names: Sequence[str], where: str) -> Table:
    """Labels as objects that all have the same keys, one of them the file's name."""
    heading = tuple(map(str, value[0]))
    rows = [
        (number, ["" if each is None else each if isinstance(each, list | dict) else str(each).strip()
                  for each in row.values()])
        for number, row in enumerate(value, 1) if isinstance(row, dict) and tuple(map(str, row)) == heading
    ]  # fmt: skip
    if len(rows) < len(value) or len(heading) < 2:
        raise UsageError(f'{where}: every entry should have the same keys, such as {{"file": "img.png", "label": 6}}.')
    return replace(_table(where, heading, rows, names), unit="entry")


def from_array(values: Sequence[Any], where: str, classes: Sequence[str] = ()) -> Labels:
    """Labels from an array of them, [N] or [N, K], in the order of the items. Raises: UsageError for what is none."""
    lists = [value if isinstance(value, list) else [value] for value in values]
    lists = [[each.decode(errors="replace") if isinstance(each, bytes) else each for each in row] for row in lists]
    width = len(lists[0]) if lists else 1
    columns = ("label",) if width == 1 else tuple(f"column{place + 1}" for place in range(width))
    table = Table(where, columns, [(str(row), row, each) for row, each in enumerate(lists)], False, classes, "row")
    return _recognised(table, [(row, each) for _, row, each in table.rows])


def _csv_table(text: str, names: Sequence[str], where: str) -> Table:
    """The table in a CSV file, with commas, semicolons, tabs, bars or spaces, or in CelebA's list, with spaces.

    A first line that names no image is taken for a heading.
    """
    while re.match(r"sep=|#[^\n,;\t|]*(\n|$)", text):  # a line for spreadsheets, or a comment
        text = text.partition("\n")[2]
    lines = text.splitlines()
    if len(lines) > 2 and lines[0].strip().isdecimal() and len(lines[2].split()) > len(lines[1].split()):
        # CelebA's: how many, the names of the columns, the rows
        heading, *rest = [(number, line.split()) for number, line in enumerate(lines[1:], 2) if line.strip()]
        return _table(where, ("", *heading[1]), rest, names)
    lookup = lookup_of(names)
    rows = split_lines(text, lookup)
    while rows and len(rows[0][1]) > 2 and not any(row[-1] for _, row in rows if len(row) == len(rows[0][1])):
        rows = [(number, row[: len(rows[0][1]) - 1]) for number, row in rows]  # a comma at the end of the lines
    if not rows or len(rows[0][1]) < 2:
        raise UsageError(f"{where} is not a list of labels; each line should read: filename,label.")
    first = rows[0][1]
    of_names = _name_column([row for _, row in rows[1:] if len(row) == len(first)] or [first], names)
    named = _meant(first[of_names], lookup) is not None or any(is_image(_plain(cell)) for cell in first)
    if not named and len(rows) == 1:
        raise UsageError(f"{where} has a heading and no labels below it.")
    if named and len(first) == 2 and (of_part := re.search("partition|split", Path(where).stem.lower())):
        return _table(where, ("", of_part[0]), rows, names)  # CelebA's list of parts
    return _table(where, None if named else tuple(first), rows if named else rows[1:], names)


def split_lines(text: str, known: Container[str]) -> list[tuple[int, list[str]]]:
    """The cells of each line that is not empty, with its number, by the mark that leaves names that are known, and
    splits all lines alike, or most. Where that is no comma, 0,5 is a half.
    """
    best: list[tuple[int, list[str]]] = []
    score = (0, 0, 0)
    for mark in ",;\t| ":
        reader = csv.reader(io.StringIO(text, newline=None), delimiter=mark, skipinitialspace=True)
        try:
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
        except csv.Error:
            continue
        widths = [len(row) for _, row in rows]
        there = {cell for _, row in rows for cell in row if len(row) > 1 and _plain(cell) in known}
        quality = (
            len(there),
            sum(width == widths[0] > 1 for width in widths),
            0 if mark == " " else min(widths, default=0),
        )
        if not best or quality > score:
            best, score = rows, quality
            if mark in ";\t|":
                best = [(line, [_DECIMAL.sub(r"\1.\2", cell) for cell in row]) for line, row in rows]
    return best


def _plain(name: str) -> str:
    """An item's name as the source would write it."""
    return composed(name).replace("\\", "/").removeprefix("./").lstrip("/")


def _meant(name: str, lookup: Mapping[str, int]) -> int | None:
    """The item that a name in a file of labels means, with or without its suffix and zeros; None for none."""
    name = _plain(name)
    stem = name.removesuffix(PurePosixPath(name).suffix)
    return next((lookup[word] for word in (name, stem, unpadded(stem)) if word in lookup), None)


def _name_column(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> int:
    """The column that names the most items, as they are or in a way that means them."""
    lookup, exact = lookup_of(names), {*names}

    def matches(place: int) -> tuple[int, int, int]:
        cells = [_plain(str(row[place])) for row in rows]
        meant = {_meant(cell, lookup) for cell in (*cells, *without_wrapper(cells))} - {None}
        few = all(map(str.isdecimal, cells)) and 2 * len(meant) < len(names)  # the numbers of classes
        return len(exact.intersection(cells)), 0 if few else len(meant), -place

    return max(range(len(rows[0])), key=matches)


def _table(
    where: str, heading: Sequence[str] | None, rows: Sequence[tuple[int, Sequence[Any]]], names: Sequence[str]
) -> Table:
    """Finds the column of file names, and takes those for labels that do not just count the lines."""
    width = len(heading) if heading is not None else len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise UsageError(f"{where}, line {number}: {len(row)} columns, and {width} in the lines before.")
    key = _name_column([row for _, row in rows], names)
    counters = [
        place
        for place in range(key)
        if any([row[place] for _, row in rows] == [str(start + k) for k in range(len(rows))] for start in (0, 1))
    ]
    places = [place for place in range(width) if place != key and place not in counters]
    if not places:
        raise UsageError(f"{where} has no column beside the images' names; give a file of their labels.")
    columns = tuple((heading[place] if heading else "") or f"column{at}" for at, place in enumerate(places, 1))
    labelled = [(row[key], number, [row[place] for place in places]) for number, row in rows]
    return Table(where, columns, labelled, heading is not None)


def _chosen(table: Table, columns: Sequence[str]) -> Table:
    """Those columns of a table, or all but one that says which items are held out."""
    for name in columns:
        if name not in table.columns:
            raise UsageError(f"{table.where} has no column {name!r}; {suggest(name, table.columns)}")
    held_out = frozenset[str]()
    for place, column in enumerate(table.columns):
        kinds = [_part(column, str(values[place])) for _, _, values in table.rows]
        of_parts = column.lower() in _PARTS or _FLAGS.match(column)
        if of_parts and column not in columns and "train" in kinds and all(kinds):
            held_out = frozenset(name for (name, *_), kind in zip(table.rows, kinds, strict=True) if kind == "test")
            columns = columns or [name for name in table.columns if name != column]
            break
    else:
        columns = columns or table.columns
    places = [table.columns.index(name) for name in columns]
    rows = [(name, line, [values[place] for place in places]) for name, line, values in table.rows]
    return replace(table, columns=tuple(columns), rows=rows, held_out=held_out)


def _part(column: str, value: str) -> str:
    """As `part_of`; CelebA counts its parts from 0, and a column `is_valid` answers for itself."""
    if flag := _FLAGS.match(column):
        truth = _entry(value)
        return "" if truth not in (0, 1) else "train" if (flag[1].lower() == "train") == bool(truth) else "test"
    return {"0": "train", "1": "test", "2": "test"}.get(value, "") if column == "partition" else part_of(value)


def _matched(table: Table, names: Sequence[str], apart: Collection[int]) -> Labels:
    """The table's rows in the order of the items; rows of other items are named in `Labels.notes`.

    Raises: UsageError when it does not cover the items but for those `apart`, or says two things of one.
    """
    find = finder(names, [name for name, *_ in table.rows], apart)
    by_item: dict[int, tuple[int, Sequence[Any]]] = {}
    strange, held_out = [], set()
    for name, line, values in table.rows:
        index = find(name)
        if index is None:
            strange.append(name)
        elif index in by_item and list(by_item[index][1]) != list(values):
            both = zip(table.columns, by_item[index][1], values, strict=True)
            column = next(column for column, one, other in both if one != other)
            raise UsageError(
                f"{table.at(line, column)}: {name} has another label than in {table.unit} "
                f"{by_item[index][0]}; leave one of them."
            )
        else:
            by_item[index] = line, values
            held_out |= {index} if name in table.held_out else set()
    if not by_item:
        raise UsageError(
            f"{table.where} labels {listed(strange, 3)}, which the source does not have, or in several folders; "
            "write file names as they are in the source."
        )
    missing = {*range(len(names))} - {*by_item}
    if gaps := [names[index] for index in sorted(missing - {*apart})]:
        raise UsageError(f"{table.where} has no label for {listed(gaps, 3)}; add the missing lines.")
    labels = _recognised(table, [by_item[index] for index in sorted(by_item)]) if table.columns else Labels()
    if labels.of:
        rows = dict(zip(sorted(by_item), labels.of, strict=True))
        labels.of = [rows.get(index, -1) for index in range(len(names))]
    labels.missing, labels.held_out = missing, held_out
    if held_out:
        labels.notes.append(f"{table.where} says which images are held out.")
    if strange:
        count = "1 row is" if len(strange) == 1 else f"{len(strange):,} rows are"
        others = f"of images that are not there: {listed(strange, 3)}"
        labels.notes.append(f"{count} left out of {table.where}, {others}.")
    return labels


def finder(names: Sequence[str], written: Sequence[str], apart: Collection[int] = ()) -> Callable[[str], int | None]:
    """Gives the item that a name in a file of labels means; None for none.

    Folders that all names lie in may be more or fewer than in the source. A name that several items have means the one
    that is trained on.
    """
    trained = [index for index in range(len(names)) if index not in apart]
    lookup = {word: trained[place] for word, place in lookup_of([names[index] for index in trained]).items()}
    lookup |= lookup_of(names) if apart else {}
    plain = [_plain(name) for name in written]
    short = dict(zip(plain, without_wrapper(plain), strict=True))

    def find(name: str) -> int | None:
        index = _meant(name, lookup)
        return _meant(short[_plain(name)], lookup) if index is None else index

    return find


def _recognised(table: Table, rows: Sequence[tuple[int, Sequence[Any]]]) -> Labels:
    """What labels are: classes, attributes or numbers. Raises: UsageError for what is none of these."""
    if several := _several(table, rows):
        return several
    for line, values in rows:
        for column, value in zip(table.columns, values, strict=True):
            if isinstance(value, list | dict):
                form = "{…}" if isinstance(value, dict) else "such a list"
                raise UsageError(
                    f"{table.at(line, column)}: a label is a word, a number, or a list of numbers, not {form}."
                )
            if value is None or str(value).strip().lower() in ("", "nan", "none", "null"):
                raise UsageError(f"{table.at(line, column)}: there is no label; write one, or leave the column out.")
    if len(table.columns) > 1:
        return _one_hot(table, rows) or _columns(table, rows)
    values = [value for _, (value,) in rows]
    if table.classes:
        return _by_name(table, rows)
    numbers = [_number(value) for value in values]
    for (line, (value,)), number in zip(rows, numbers, strict=True):
        if number is None and str(value).lower().lstrip("+-") in ("inf", "infinity") and any(numbers):
            raise UsageError(f"{table.at(line, table.columns[0])}: {value!r} is no number that can be learned from.")
    whole = sum(number is not None and number == int(number) for number in numbers)
    fractions = sum(number is not None for number in numbers) - whole
    if 2 * fractions >= len(rows) or (fractions and whole + fractions == len(rows)):
        return _columns(table, rows)
    if whole == len(rows) and not any(_PADDED.match(str(value)) for value in values):
        values = [
            int(value) if str(value).lstrip("+-").isdecimal() else int(number)  # a float keeps 16 digits of them
            for value, number in zip(values, numbers, strict=True) if number is not None
        ]  # fmt: skip
    for (line, _), value in zip(rows, values, strict=True):
        if str(value).strip().lower() in _NOTHING and whole < len(rows):
            raise UsageError(f"{table.at(line, table.columns[0])}: {value!r} is no label; write one, or another word.")
    different = len({*map(str, values)})
    if different > MANY and 2 * different > len(rows):
        if whole < len(rows):
            raise UsageError(
                f"{table.at(rows[0][0], table.columns[0])}: {different:,} different words for {len(rows):,} items are "
                "no classes; choose another column with --label-column, or --labels none."
            )
        labels = _columns(table, rows)
        labels.notes.append(
            f"{different:,} different labels for {len(rows):,} items are taken as numbers, not classes."
        )
        return labels
    labels = label_list(values)
    if tags := _tags(labels.classes):
        labels.notes.append(
            f"A label of several words, such as {printable(tags)}, is one class; where each word is a label, "
            "write | between them and add it again."
        )
    return labels


def _tags(classes: Sequence[str]) -> str:
    """A class of several words where most such classes have all the words of another class; "" elsewhere."""
    words = {name: frozenset(name.split()) for name in classes}
    sets = Counter(words.values())
    several = [name for name in classes if len(name.split()) > 1]

    def has_another(own: frozenset[str]) -> bool:
        parts = (part for size in range(1, len(own)) for part in combinations(own, size))
        return sets[own] > 1 or any(frozenset(part) in sets for part in parts)

    larger = [name for name in several if len(words[name]) <= 6 and has_another(words[name])]
    return max(larger, key=len) if len(larger) > 1 and 2 * len(larger) >= len(several) else ""


def _several(table: Table, rows: Sequence[tuple[int, Sequence[Any]]]) -> Labels | None:
    """Attributes, where the cells of one column have several words: cat|dog; None where they have one each.

    A comma may also belong to a name, such as "tench, Tinca tinca"; there most words must come in several cells.
    """
    cells = [str(values[0]).strip() for _, values in rows]
    listed_so = all(cell[:1] + cell[-1:] == "[]" for cell in cells)  # as pandas writes lists: ['cat', 'dog']
    by_spaces = all(map(_NUMBERS.fullmatch, cells)) and any(" " in cell for cell in cells)
    marks = "," if listed_so else " " if by_spaces else _SEVERAL
    mark = next((mark for mark in marks if any(mark in cell for cell in cells)), "")
    if len(table.columns) > 1 or table.classes or not mark:
        return None
    split = [{word.strip(" []'\"") for word in cell.split(mark)} - {""} for cell in cells]
    count = Counter(word for words in {*map(frozenset, split)} for word in words)
    if len(count) > MANY and 2 * len(count) > len(rows):
        return None
    if mark == "," and not listed_so and 2 * sum(number > 1 for number in count.values()) < len(count):
        return None
    names = tuple(sorted(count, key=lambda word: (len(word) if word.isdecimal() else 0, word)))
    found = Labels((), [[int(name in words) for name in names] for words in split], names, "attributes")
    found.notes.append(f"Items have several labels, such as {printable(max(cells, key=len))}: each is an attribute.")
    if none := split.count(set()):
        found.notes.append(f"{none:,} of {len(split):,} have none of the labels.")
    return found


def _by_name(table: Table, rows: Sequence[tuple[int, Sequence[Any]]]) -> Labels:
    """Classes that the file has names for. Raises: UsageError for a label that is none of them."""
    classes = list(table.classes)
    of = []
    for line, (value,) in rows:
        number = _number(value)
        place = classes.index(str(value)) if str(value) in classes else number
        if place is None or place != int(place) or not 0 <= place < len(classes):
            raise UsageError(
                f"{table.at(line)}: the label {value!r} is none of the {len(classes)} classes; they are numbered "
                f"from 0 to {len(classes) - 1}."
            )
        of.append(int(place))
    return Labels(tuple(classes), of)


def _one_hot(table: Table, rows: Sequence[tuple[int, Sequence[Any]]]) -> Labels | None:
    """Classes, where each row has one 1 and else 0; None where they have not. They are called as their columns."""
    numbers = [[_entry(value) for value in values] for _, values in rows]
    if any(sorted(map(str, row)) != ["0.0"] * (len(row) - 1) + ["1.0"] for row in numbers):
        return None
    names = tuple(table.classes) or (table.columns if table.headed else tuple(map(str, range(len(table.columns)))))
    if len(names) != len(table.columns):
        raise UsageError(f"{table.where} names {len(names)} classes and has labels of {len(table.columns)} columns.")
    labels = Labels(names, [row.index(1.0) for row in numbers])
    labels.notes.append("The columns are one-hot, so they are taken as classes.")
    return labels


def _columns(table: Table, rows: Sequence[tuple[int, Sequence[Any]]]) -> Labels:
    """Attributes or numbers. Raises: UsageError for a value that is no number, with its line and column."""
    of: list[list[float]] = []
    for line, values in rows:
        of.append([])
        for column, value in zip(table.columns, values, strict=True):
            number = _entry(value)
            if number is None:
                chosen = table.headed or table.unit == "line"
                advice = "choose columns with --label-column" if chosen else "give one of them"
                raise UsageError(
                    f"{table.where}, {table.unit} {line}, column {column!r}: {value!r} is no number, and the labels of "
                    f"several columns are 0 and 1, or numbers; {advice}."
                )
            of[-1].append(number)
    if all({*column} <= {0, 1} or {*column} <= {-1, 1} for column in zip(*of, strict=True)):
        return Labels((), [[int(number > 0) for number in row] for row in of], table.columns, "attributes")
    labels = Labels((), of, table.columns, "numbers")
    few = [name for name, column in zip(table.columns, zip(*of, strict=True), strict=True) if _as_classes(column)]
    if few and len(table.columns) > 1:
        said = (
            f"The columns {listed(table.columns, 5)} are taken as numbers; where {printable(few[0])} is a class, type: "
        )
        labels.notes.append(f"{said}--label-column {shlex.quote(few[0])}")
    return labels


def _as_classes(numbers: Sequence[float]) -> bool:
    """Whether numbers could be of classes: a few whole ones."""
    return 1 < len({*numbers}) <= MANY and all(number.is_integer() for number in numbers)


def _entry(value: Any) -> float | None:
    """A number of several in a row, where true and yes are 1, false and no 0; None for anything else."""
    truth = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}.get(str(value).lower())
    return _number(value) if truth is None else truth


def _number(value: Any) -> float | None:
    """A finite number, as JSON has it or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
