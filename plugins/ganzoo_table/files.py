"""Tables as files: CSV by Python, Parquet by pyarrow. A column is numbers, or one of a few words."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import GanzooError, UsageError, need

_FRACTION = re.compile(r"[+-]?\d*\.\d+")
_DECIMAL = re.compile(r"^([+-]?\d+),(\d+)$")
_PADDED = re.compile(r"[+-]?0\d")
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}  # in small letters
FEW = 10  # different whole numbers that are taken for categories
MANY = 1000  # different words at the most
Columns = list[dict[str, Any]]


def read(file: Path, categories: Sequence[str]) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """A file's rows as numbers [N, K], a category as its place among the column's words, NaN where it is missing; and
    what the columns are.

    Raises: GanzooError when it is damaged, UsageError when it is no table, or has a column of neither kind.
    """
    names, texts, delimiter = _parquet(file) if file.suffix.lower() == ".parquet" else _csv(file)
    if any(_FRACTION.fullmatch(name) for name in names):
        raise UsageError(f"The first line of {file} has numbers, such as {names[0]}; it should name the columns.")
    if len(set(names)) < len(names) or not all(names):
        raise UsageError(f"{file} has columns without a name, or two of one name; its first line should name them.")
    for name in categories:
        if name not in names:
            raise UsageError(f"{file} has no column {name!r}; its columns are {', '.join(names)}.")
    columns: Columns = []
    numbers = []
    for name, column in zip(names, zip(*texts, strict=True), strict=True):
        described, values = _column(name, column, name in categories, delimiter == ";")
        columns.append(described)
        numbers.append(values)
    return np.stack(numbers, 1).astype(np.float32), {"columns": columns, "delimiter": delimiter}


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
        return float(text) if column["decimals"] else int(text)
    if column.get("truth"):
        return text == "True"
    return text


def _csv(file: Path) -> tuple[list[str], list[list[str]], str]:
    try:
        data = file.read_bytes()
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")  # as spreadsheets save "Unicode text"
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise GanzooError(f"{file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise GanzooError(f"{file} is no text in UTF-8; save it as CSV in UTF-8.") from error
    first = (text.splitlines() or [""])[0]
    delimiter = max(",;\t", key=first.count)
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
    columns = [["" if value is None else str(value) for value in column.to_pylist()] for column in table.columns]
    if not table.num_rows:
        raise UsageError(f"{file} has no rows.")
    return list(table.column_names), [list(row) for row in zip(*columns, strict=True)], ","


def _pyarrow() -> tuple[Any, Any]:
    pyarrow, parquet = (need(name, "pyarrow", "Parquet", "table") for name in ("pyarrow", "pyarrow.parquet"))
    return pyarrow, parquet


def _column(
    name: str, texts: Sequence[str], as_category: bool, decimal_comma: bool
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """What a column is, and its values as numbers.

    Raises: UsageError for one that is empty, of too many words, or of numbers and something else.
    """
    texts = [text.strip() for text in texts]
    if decimal_comma and not as_category:
        texts = [_DECIMAL.sub(r"\1.\2", text) for text in texts]
    there = [text for text in texts if text.lower() not in MISSING]
    missing = len(there) < len(texts)
    if not there:
        raise UsageError(f"The column {name!r} is empty in all rows; leave it out.")
    numbers = None if as_category else _numbers(name, there)
    words = sorted(set(there))
    if numbers is not None and all(value.is_integer() for value in numbers) and len(words) <= FEW:
        numbers, words = None, sorted(words, key=float)
    if numbers is not None:
        decimals = max(len(text.partition(".")[2]) if "e" not in text.lower() else 6 for text in there)
        values = [math.nan if text.lower() in MISSING else float(text) for text in texts]
        described = {"name": name, "kind": "number", "decimals": decimals, "missing": missing}
        return described, np.array(values)
    if not as_category and len(words) > FEW and 2 * len(words) > len(there):
        raise UsageError(
            f"The column {name!r} has {len(words):,} different texts in {len(there):,} rows, so they are no categories "
            f"but somebody's names or numbers; leave it out, or type --as table:categories={name} if it is meant."
        )
    if len(words) > MANY:
        raise UsageError(
            f"The column {name!r} has {len(words):,} different texts, too many for a category; leave it out."
        )
    place = {word: number for number, word in enumerate(words)}
    codes = [place.get(text, math.nan) for text in texts]
    truth = set(words) <= {"True", "False"}
    return {"name": name, "kind": "category", "values": words, "missing": missing, "truth": truth}, np.array(codes)


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
            f"{texts[0]}; subtract the smallest of them, or leave it out."
        )
    return values


def _number(text: str) -> float | None:
    """A number that float32 can hold; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= float(np.finfo(np.float32).max) else None
