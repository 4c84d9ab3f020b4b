"""Tables as files: CSV by Python, Parquet by pyarrow. A column is numbers, or one of a few words."""

from __future__ import annotations

import csv
import io
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import GanzooError, UsageError, need, read_text

_FRACTION = re.compile(r"[+-]?\d*\.\d+")
_COMMA = re.compile(r"([+-]?\d+(?:\.\d{3})*),(\d+)")  # a number with a decimal comma
_THOUSANDS = {"": re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?"), ",": re.compile(r"[+-]?\d{1,3}(\.\d{3})*(,\d+)?")}
_MARKED = re.compile(
    r"(?P<before>[$€£¥₹₩]? ?)(?P<number>[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?)(?P<after>( ?[^\W\d_]{1,5}| ?[%€£¥₹₩°])?)"
)
_PADDED = re.compile(r"[+-]?0\d")
_UNNAMED = re.compile(r"(Unnamed: \d+)?")  # as pandas writes and reads the numbers of the rows
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}  # in small letters
FEW = 10  # different whole numbers that are taken for categories
MANY = 1000  # different words at the most
Columns = list[dict[str, Any]]


def read(file: Path, categories: Sequence[str], without: Sequence[str]) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """A file's rows as numbers [N, K], a category as its place among the column's words, NaN where it is missing; and
    what the columns are.

    Args:
        categories, without: columns that are words whatever they hold, and that are not read.
    Raises: GanzooError when it is damaged, UsageError when it is no table, or has a column of neither kind.
    """
    names, texts, delimiter = _parquet(file) if file.suffix.lower() == ".parquet" else _csv(file)
    for name in (*categories, *without):
        if name not in names:
            raise UsageError(f"{file} has no column {name!r}; its columns are {', '.join(names)}.")
    table = [
        (name, [text.strip() for text in column]) for name, column in zip(names, zip(*texts, strict=True), strict=True)
    ]
    if any(_FRACTION.fullmatch(name) for name in names) or all(name in column for name, column in table):
        raise UsageError(f"The first line of {file} looks like a row, with {names[0]}; it should name the columns.")
    left_out = {place: why for place, (name, column) in enumerate(table) if (why := _needless(name, column, without))}
    table = [each for place, each in enumerate(table) if place not in left_out]
    if len({name for name, _ in table}) < len(table) or not all(name for name, _ in table) or not table:
        raise UsageError(f"{file} has columns without a name, or two of one name; its first line should name them.")
    digits = {name: _digits(column) for name, column in table if name not in categories}
    comma = _comma(
        [*digits.values()], delimiter == ";" and any(_has_comma(text) for _, column in table for text in column)
    )
    found = [_column(name, column, name in categories, comma) for name, column in table]
    details: dict[str, Any] = {"columns": [described for described, _ in found], "delimiter": delimiter}
    if left_out:
        details["left out"] = [
            f"{names[place] or f'column {place + 1}'}, which {why}" for place, why in left_out.items()
        ]
    if unsure := [(name, text) for name, texts in digits.items() if (text := _unsure(texts, comma))]:
        details["unsure"] = [f"{name}, where {text} may be {text.replace(comma or '.', '')}" for name, text in unsure]
    return np.stack([values for _, values in found], 1).astype(np.float32), details


def _digits(column: Sequence[str]) -> list[str]:
    """The numbers in a column without what stands before and after them; [] where it has other words."""
    marked = [_MARKED.fullmatch(text) for text in column if text.lower() not in MISSING]
    return [match["number"] for match in marked if match] if all(marked) else []


def _comma(columns: Sequence[Sequence[str]], usual: bool) -> str:
    """ "," where commas part fractions, else "": as 12.345.678 tells, else as is `usual` in such files."""
    for mark, comma in ((".", ","), (",", "")):
        groups = re.compile(rf"[+-]?\d{{1,3}}(\{mark}\d{{3}})*")
        if any(any(text.count(mark) > 1 for text in texts) and all(map(groups.fullmatch, texts)) for texts in columns):
            return comma
    return "," if usual else ""


def _unsure(texts: Sequence[str], comma: str) -> str:
    """One of a column's fractions where each could be a whole number with a mark of thousands, as 1.234; else ""."""
    mark = comma or "."
    groups = re.compile(rf"[+-]?([1-9]\d{{0,2}}(\{mark}\d{{3}})?|0)")
    return next((text for text in texts if mark in text), "") if all(map(groups.fullmatch, texts)) else ""


def _has_comma(text: str) -> bool:
    match = _MARKED.fullmatch(text)
    return match is not None and _COMMA.fullmatch(match["number"]) is not None


def _needless(name: str, column: Sequence[str], without: Sequence[str]) -> str:
    """Why a column is left out, as the end of a sentence; "" where it is not."""
    if name in without:
        return "is not asked for"
    if all(text.lower() in MISSING for text in column):
        return "is empty"
    counted = any(list(column) == [str(start + row) for row in range(len(column))] for start in (0, 1))
    return "counts the rows" if counted and _UNNAMED.fullmatch(name) else ""


def write(rows: Sequence[Sequence[str]], state: Mapping[str, Any], file: Path) -> None:
    """Rows of texts under the columns' names: CSV as the source was, or Parquet."""
    names = [column["name"] for column in state["columns"]]
    if file.suffix.lower() == ".parquet":
        pyarrow, parquet = _pyarrow()
        columns = list(zip(*rows, strict=True))
        arrays = {
            column["name"]: [_typed(text, column) for text in texts]
            for column, texts in zip(state["columns"], columns, strict=True)
        }
        parquet.write_table(pyarrow.table(arrays), file)
        return
    delimiter = "\t" if file.suffix.lower() == ".tsv" else state.get("delimiter", ",")
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([names, *rows])


def _typed(text: str, column: Mapping[str, Any]) -> Any:
    if text == "":
        return None
    if column["kind"] == "number":
        text = text.removeprefix(column.get("before", "")).removesuffix(column.get("after", ""))
        return float(text) if column["decimals"] else int(text)
    if column.get("truth"):
        return text == "True"
    return text


def _csv(file: Path) -> tuple[list[str], list[list[str]], str]:
    try:
        text = read_text(file)
    except OSError as error:
        raise GanzooError(f"{file} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise GanzooError(f"{file} {error}; save it as CSV in UTF-8.") from error
    while re.match(r"sep=|#[^\n,;\t|]*(\n|$)", text):  # a line for spreadsheets, or a comment
        text = text.partition("\n")[2]
    first = (text.splitlines() or [""])[0]
    delimiter = max(",;\t|", key=first.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=None), delimiter=delimiter) if line]
    except csv.Error as error:
        raise GanzooError(f"{file} is no CSV file that can be read ({error}).") from error
    names, *rows = lines or [[]]
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise UsageError(f"Row {number} of {file} has {len(row)} columns, and its first line names {len(names)}.")
    if not rows:
        raise UsageError(f"{file} has no rows below its first line, which names the columns.")
    return [name.strip() for name in names], rows, delimiter


def _parquet(file: Path) -> tuple[list[str], list[list[str]], str]:
    _, parquet = _pyarrow()
    try:
        table = parquet.read_table(file)
    except Exception as error:  # pyarrow has a dozen of its own
        raise GanzooError(f"{file} cannot be read as Parquet ({error}).") from error
    pictures = [field.name for field in table.schema if "binary" in str(field.type)]
    if pictures:
        raise UsageError(
            f"The column {pictures[0]!r} of {file} holds files, such as pictures, and is no table's; type: "
            f"ganzoo data add NAME {shlex.quote(f'hf://datasets/{file.absolute()}')}"
        )
    columns = [["" if value is None else str(value) for value in column.to_pylist()] for column in table.columns]
    if not table.num_rows:
        raise UsageError(f"{file} has no rows.")
    return list(table.column_names), [list(row) for row in zip(*columns, strict=True)], ","


def _pyarrow() -> tuple[Any, Any]:
    pyarrow, parquet = (need(name, "pyarrow", "Parquet", "table") for name in ("pyarrow", "pyarrow.parquet"))
    return pyarrow, parquet


def _column(
    name: str, texts: Sequence[str], as_category: bool, comma: str
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """What a column is, and its values as numbers.

    Args:
        comma: "," where that parts fractions in this table, else "".
    Raises: UsageError for one of too many words, or of numbers and something else.
    """
    there = [text for text in texts if text.lower() not in MISSING]
    missing = len(there) < len(texts)
    before, after, plain = ("", "", there) if as_category else _unmarked(there, comma)
    numbers = None if as_category else _numbers(name, plain)
    words = sorted(set(there))
    if numbers is not None and all(value.is_integer() for value in numbers) and len(words) <= FEW:
        words = [word for _, word in sorted({*zip(numbers, there, strict=True)})]
        numbers = None
    if numbers is not None:
        decimals = max(max(0, -int(Decimal(text).as_tuple().exponent)) for text in plain)
        known = iter(numbers)
        values = [math.nan if text.lower() in MISSING else next(known) for text in texts]
        described = {"name": name, "kind": "number", "decimals": decimals, "missing": missing}
        return described | {key: mark for key, mark in (("before", before), ("after", after)) if mark}, np.array(values)
    advice = f"leave it out: --as table:without={name}"
    if not as_category and len(words) > FEW and 2 * len(words) > len(there):
        raise UsageError(
            f"The column {name!r} has {len(words):,} different texts in {len(there):,}, such as {there[0][:40]!r}, so "
            f"they are no categories; {advice}, or type --as table:categories={name} if it is meant."
        )
    if len(words) > MANY:
        raise UsageError(f"The column {name!r} has {len(words):,} different texts, too many for a category; {advice}")
    place = {word: number for number, word in enumerate(words)}
    codes = [place.get(text, math.nan) for text in texts]
    truth = set(words) <= {"True", "False"}
    return {"name": name, "kind": "category", "values": words, "missing": missing, "truth": truth}, np.array(codes)


def _unmarked(texts: Sequence[str], comma: str) -> tuple[str, str, Sequence[str]]:
    """What stands before and after all numbers alike, such as $ or %, and the numbers as Python writes them.

    Texts that are no such numbers stay as they are.
    """
    marked = [_MARKED.fullmatch(text) for text in texts]
    numbers = [match["number"] if match else "" for match in marked]
    marks = {(match["before"], match["after"]) for match in marked if match}
    if not all(numbers) or len(marks) > 1:
        return "", "", [_COMMA.sub(r"\1.\2", text) if comma and _COMMA.fullmatch(text) else text for text in texts]
    if all(_THOUSANDS[comma].fullmatch(number) for number in numbers):
        numbers = [number.replace("." if comma else ",", "") for number in numbers]
    return *marks.pop(), [number.replace(",", ".") if comma else number for number in numbers]


def _numbers(name: str, texts: Sequence[str]) -> list[float] | None:
    """None where they are words, as 007 is. Raises: UsageError where only most are numbers, or differ in too little."""
    found = {text: value for text in texts if (value := _number(text)) is not None}
    if any(map(_PADDED.match, found)) or 2 * sum(text in found for text in texts) <= len(texts):
        return None
    strange = next((text for text in texts if text not in found), None)
    if strange is not None:
        raise UsageError(
            f"The column {name!r} has {strange!r} among numbers; mend it, leave it empty if it is missing, or type "
            f"--as table:categories={name} where all are words."
        )
    values = [found[text] for text in texts]
    if 2 * len({*np.array(values, np.float32).tolist()}) < len({*texts}):
        raise UsageError(
            f"The numbers of the column {name!r} differ in less than the seven digits that are kept, such as "
            f"{texts[0]}; subtract the smallest of them, or leave it out: --as table:without={name}"
        )
    return values


def _number(text: str) -> float | None:
    """A number that float32 can hold; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= float(np.finfo(np.float32).max) else None
