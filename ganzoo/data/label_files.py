"""Files of labels: CSV, CelebA's list_attr_celeba.txt, StyleGAN's dataset.json.

One column is a class, unless its values are fractions; several are attributes, where all are 0 and 1 (or -1 and 1), or
numbers.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.data.labels import Labels, label_list, lookup_of
from ganzoo.errors import UsageError, suggest


@dataclass(frozen=True)
class LabelsFile:
    """A file of labels that a user gave, and the columns to take of it, by their heading; () for all."""

    path: Path
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of labels as a file has them: the item's name, the line, and a value a column."""

    where: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, int, Sequence[Any]]]
    class_names: Sequence[str] = ()


def from_file(file: LabelsFile, names: Sequence[str]) -> Labels:
    """Labels from .json, .csv or CelebA's .txt.

    Raises:
        UsageError: there is no such file, it cannot be read, or does not cover exactly the images.
    """
    path, columns = file.path, file.columns
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read the labels file {path}; give a CSV file (filename,label) or JSON.") from error
    if path.suffix.lower() != ".json":
        return _matched(_chosen(_csv_table(text, names, str(path)), columns), names)
    if columns:
        raise UsageError(f"--label-column names columns of a CSV file, and {path} is JSON; leave it out.")
    return from_json(text, names, str(path))


def from_json(text: bytes | str, names: Sequence[str], where: str) -> Labels:
    """Labels from a ``dataset.json``: {"labels": [["00000/img.png", 6], …]}, null when there are none; a label may be a
    list of numbers. A plain {"img.png": 6, …} goes too.

    A key "classes", where present, names the numbers 0, 1, ….

    Raises:
        UsageError: it is not such a file, or does not cover exactly the images.
    """
    try:
        value = json.loads(text)
        given = value["labels"] if "labels" in value else list(value.items())
        pairs = [] if given is None else [(str(name), label) for name, label in given]
        class_names = [str(name) for name in value.get("classes", ())] if "labels" in value else []
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f'{where} is not a list of labels; it should read {{"labels": [["folder/image.png", 6], …]}}.'
        ) from error
    rows = [(name, line, label if isinstance(label, list) else [label]) for line, (name, label) in enumerate(pairs, 1)]
    if not rows:
        return Labels()
    width = len(rows[0][2])
    for name, _, values in rows:
        if len(values) != width:
            raise UsageError(f"{where} has {len(values)} numbers for {name}, and {width} for {rows[0][0]}.")
    if width > 1 and all(_all_numbers(values) and sorted(values) == [0] * (width - 1) + [1] for *_, values in rows):
        rows = [(name, line, [values.index(1)]) for name, line, values in rows]  # one-hot
        width = 1
    columns = ("label",) if width == 1 else tuple(f"column{place + 1}" for place in range(width))
    return _matched(Table(where, columns, rows, class_names), names)


def _all_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def _csv_table(text: str, names: Sequence[str], where: str) -> Table:
    """The table in a CSV file, with commas, semicolons or tabs, or in CelebA's list, with spaces.

    A first line that names no image is taken for a heading.
    """
    lines = text.splitlines()
    if len(lines) > 1 and lines[0].strip().isdecimal():  # CelebA's: how many, the names of the columns, the rows
        heading, *rest = [(number, line.split()) for number, line in enumerate(lines[1:], 2) if line.strip()]
        return _table(where, ("", *heading[1]), rest, names)
    same = (mark for mark in ",;\t" if len({line.count(mark) for line in lines if line}) == 1 and mark in lines[0])
    mark = next(same, ",")
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    while rows and len(rows[0][1]) > 2 and not any(row[-1] for _, row in rows if len(row) == len(rows[0][1])):
        rows = [(number, row[: len(rows[0][1]) - 1]) for number, row in rows]  # a comma at the end of the lines
    if not rows or any(len(row) < 2 for _, row in rows):
        raise UsageError(f"{where} is not a list of labels; each line should read: filename,label.")
    lookup = lookup_of(names)
    named = any(cell.removeprefix("./") in lookup for cell in rows[0][1])
    return _table(where, None if named else tuple(rows[0][1]), rows if named else rows[1:], names)


def _table(
    where: str, heading: Sequence[str] | None, rows: Sequence[tuple[int, list[str]]], names: Sequence[str]
) -> Table:
    """Finds the column of file names, and takes those for labels that do not just count the lines."""
    width = len(heading) if heading is not None else len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise UsageError(f"{where}, line {number}: {len(row)} columns, and {width} in the lines before.")
    lookup, exact = lookup_of(names), {*names}

    def matches(place: int) -> tuple[int, int, int]:
        cells = [row[place].removeprefix("./") for _, row in rows]
        return sum(cell in exact for cell in cells), sum(cell in lookup for cell in cells), -place

    key = max(range(width), key=matches)
    counters = [
        place
        for place in range(key)
        if any([row[place] for _, row in rows] == [str(start + k) for k in range(len(rows))] for start in (0, 1))
    ]
    places = [place for place in range(width) if place != key and place not in counters]
    columns = tuple((heading[place] if heading else "") or f"column{at}" for at, place in enumerate(places, 1))
    return Table(where, columns, [(row[key], number, [row[place] for place in places]) for number, row in rows])


def _chosen(table: Table, columns: Sequence[str]) -> Table:
    if not columns:
        return table
    for name in columns:
        if name not in table.columns:
            raise UsageError(f"{table.where} has no column {name!r}; {suggest(name, table.columns)}")
    places = [table.columns.index(name) for name in columns]
    rows = [(name, line, [values[place] for place in places]) for name, line, values in table.rows]
    return Table(table.where, tuple(columns), rows)


def _matched(table: Table, names: Sequence[str]) -> Labels:
    """The table's rows in the order of the items. Raises: UsageError when it does not cover exactly these."""
    lookup, where = lookup_of(names), table.where
    unknown = [name for name, *_ in table.rows if name.removeprefix("./") not in lookup]
    if unknown:
        raise UsageError(
            f"{where} labels {_some(unknown)}, which the source does not have; "
            "write file names as they are in the source, or remove those lines."
        )
    found = {lookup[name.removeprefix("./")]: (line, values) for name, line, values in table.rows}
    missing = [name for index, name in enumerate(names) if index not in found]
    if missing:
        raise UsageError(f"{where} has no label for {_some(missing)}; add the missing lines.")
    rows = [found[index] for index in range(len(names))]
    if len(table.columns) == 1:
        numbers = [_number(value) for _, (value,) in rows]
        fractions = sum(number is not None and number != int(number) for number in numbers)
        if 2 * fractions < len(rows):
            return label_list([value for _, (value,) in rows], table.class_names)
    return _columns(table, rows)


def _columns(table: Table, rows: Sequence[tuple[int, Sequence[Any]]]) -> Labels:
    """Attributes or numbers. Raises: UsageError for a value that is no number, with its line and column."""
    of: list[list[float]] = []
    for line, values in rows:
        of.append([])
        for column, value in zip(table.columns, values, strict=True):
            number = _number(value)
            if number is None:
                raise UsageError(
                    f"{table.where}, line {line}, column {column!r}: {value!r} is no number, and the labels of several "
                    "columns are 0 and 1, or numbers; choose columns with --label-column."
                )
            of[-1].append(number)
    seen = {number for row in of for number in row}
    if seen <= {0, 1} or seen <= {-1, 1}:
        return Labels((), [[int(number > 0) for number in row] for row in of], table.columns, "attributes")
    return Labels((), of, table.columns, "numbers")


def _number(value: Any) -> float | None:
    """A finite number, as JSON has it or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _some(names: Sequence[str]) -> str:
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"
