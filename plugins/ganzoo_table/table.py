"""The modality of tables, by the mode-specific normalisation of CTGAN (Xu et al. 2019, arXiv:1907.00503, section 4.2).

A number x becomes a = (x - mean_k) / (4 std_k) and which mode k of its column's mixture it belongs to, one of K; a
category becomes which of its words it is. What is missing is a mode, or a word, of its own. Where the paper draws the
mode by its probability, the likeliest is taken, so that encoding is a function of the row alone.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo.api import Architecture, Modality, UsageError, option
from ganzoo_table import files, mixture

SPAN = 4  # standard deviations of a mode that [-1, 1] covers on either side
DRAWN = 16  # columns of a sheet at the most
NAMED = 40  # columns that a line names at the most
LETTERS, IN_A_LINE = 12, 24  # of a word below a column, and of all that stand beside each other, at the most
REAL, MADE = "#464646", "#c81e5a"


@dataclass(frozen=True)
class TableOptions:
    categories: str = option("", "columns of numbers that are categories, joined by +: zip+year")
    without: str = option("", "columns that are left out, joined by +: id+name")


class Table(Modality):
    """Rows [K] of numbers, codes and NaN; encoded, vectors [D] of numbers in [-1, 1] and of one-of-many."""

    Options = TableOptions
    fitted: ClassVar = True
    shown: ClassVar = 1024
    writes: ClassVar = (".csv", ".tsv", ".parquet")

    @classmethod
    def read_all(cls, file: Path, options: TableOptions) -> tuple[NDArray[Any], dict[str, Any]]:
        categories, without = (
            [name for name in names.split("+") if name] for names in (options.categories, options.without)
        )
        return files.read(file, categories, without)

    @classmethod
    def describe(cls, details: Mapping[str, Any]) -> dict[str, str]:
        columns = [f"{column['name']} ({_said(column)})" for column in details["columns"]]
        more = f" and {len(columns) - NAMED:,} more" if len(columns) > NAMED else ""
        said = {"columns": ", ".join(columns[:NAMED]) + more}
        said |= {"left out": "; ".join(details["left out"])} if "left out" in details else {}
        unsure = "; ".join(details.get("unsure", ()))
        return said | ({"fractions": f"{unsure}: if so, take the marks of thousands out of the file"} if unsure else {})

    @classmethod
    def fit(cls, rows: NDArray[Any], details: Mapping[str, Any]) -> dict[str, Any]:
        """Each number's modes, and mean and spread of what is encoded."""
        columns = []
        for number, column in enumerate(details["columns"]):
            known = dict(column)
            if column["kind"] == "number":
                values = rows[:, number]
                values = values[np.isfinite(values)]
                known["modes"] = mixture.fit(values) if len(values) else [(0.0, 1.0)]
                known["range"] = [float(values.min()), float(values.max())] if len(values) else [0.0, 0.0]
            columns.append(known)
        state = {**details, "columns": columns}
        encoded = cls(state).encode(torch.from_numpy(np.asarray(rows, np.float32)))
        return {**state, "mean": encoded.mean(0).tolist(), "spread": encoded.std(0, correction=0).tolist()}

    def encode(self, rows: Tensor) -> Tensor:
        """[N, K] -> [N, D], float32."""
        pieces = []
        for values, column in zip(rows.double().unbind(1), self.state["columns"], strict=True):
            gone = values.isnan()
            if column["kind"] == "number":
                modes = torch.tensor(column["modes"], dtype=torch.float64, device=rows.device)  # [M, 2]
                mean, std = modes.unbind(1)
                place = (values.nan_to_num()[:, None] - mean) / std
                mode = (-place.square() / 2 - std.log()).argmax(1)
                inside = place.gather(1, mode[:, None]).clamp(-SPAN, SPAN) / SPAN
                pieces.append(inside * ~gone[:, None])
                which = mode.where(~gone, len(modes))
            else:
                which = values.nan_to_num().long().where(~gone, len(column["values"]))
            pieces.append(one_hot(which, _kinds(column)).double())
        return torch.cat(pieces, 1).float()

    def decode(self, items: Tensor) -> Tensor:
        """[N, D] -> [N, K], float64: the likeliest mode or word; numbers within the range of the training part."""
        found = []
        for column, start, place in self._places():
            chances = items[:, place : place + _kinds(column)]
            which = chances.argmax(1)
            if column["kind"] == "number":
                modes = torch.tensor([*column["modes"], (math.nan, 1.0)], dtype=torch.float64, device=items.device)
                mean, std = modes[which].unbind(1)
                value = items[:, start].double().clamp(-1, 1) * SPAN * std + mean
                value = value.clamp(*column["range"])
                value = (value * 10 ** column["decimals"]).round() / 10 ** column["decimals"]
            else:
                value = which.double().where(which < len(column["values"]), math.nan)
            found.append(value)
        return torch.stack(found, 1)

    @property
    def choices(self) -> tuple[tuple[int, int], ...]:
        return tuple((place, place + _kinds(column)) for column, _, place in self._places())

    def _places(self) -> Iterator[tuple[Mapping[str, Any], int, int]]:
        """Each column, where it begins in an encoded row, and where its one-of-many begins."""
        start = 0
        for column in self.state.get("columns", ()):
            place = start + (column["kind"] == "number")
            yield column, start, place
            start = place + _kinds(column)

    def condition(self, count: int, label: str | int | None, random: torch.Generator) -> Tensor:
        """``job=craft``: that category in every row; None: of a column of categories one, as often as in the data."""
        known = {column["name"]: (column, place) for column, _, place in self._places() if column["kind"] == "category"}
        found = torch.zeros(count, len(self.state["mean"]))
        if label is None:
            spans = [(place, place + _kinds(column)) for column, place in known.values()]
            draw = torch.rand(count, 2, generator=random).tolist()
            for row, (which, chance) in zip(found, draw, strict=True):
                start, end = spans[int(which * len(spans))]
                shares = torch.tensor(self.state["mean"][start:end]).cumsum(0)
                row[start + min(int((shares <= chance * shares[-1]).sum()), end - start - 1)] = 1
            return found
        name, equals, value = str(label).partition("=")
        column, place = known.get(name.strip(), ({}, 0))
        if not column:
            numbers = {each["name"] for each in self.state["columns"]} - known.keys()
            what = "is a column of numbers" if name in numbers else "is no column of this table"
            raise UsageError(f"{name!r} {what}; --label asks for a category of {', '.join(known)}.")
        words = [str(word) for word in column["values"]]
        if not equals or value.strip() not in words:
            raise UsageError(f"--label {label} is no category; the column {name} has {', '.join(words[:12])}.")
        found[:, place + words.index(value.strip())] = 1
        return found

    def texts(self, items: Tensor) -> list[list[str]]:
        """Encoded rows as they are written, "" for what is missing."""
        columns = self.state["columns"]
        return [
            [_text(value, column) for value, column in zip(row, columns, strict=True)]
            for row in self.decode(items).tolist()
        ]

    def save(self, items: Tensor, file: Path) -> None:
        files.write(self.texts(items), self.state, file)

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image.Image:
        """A histogram of each column, of real rows in grey behind that of the made ones."""
        from matplotlib.figure import Figure

        known = self.state["columns"]
        count = min(len(known), DRAWN)
        across = columns or math.ceil(math.sqrt(count))
        down = math.ceil(count / across)
        figure = Figure(figsize=(2.4 * across, 1.9 * down + 0.2), layout="constrained")
        axes = figure.subplots(down, across, squeeze=False).flatten()
        made = self.decode(items.detach().float().cpu())
        there = None if real is None else self.decode(real.float().cpu())
        for number, axis in enumerate(axes):
            if number >= count:
                axis.set_axis_off()
                continue
            self._draw(axis, number, made[:, number], None if there is None else there[:, number])
        if len(known) > count:
            figure.suptitle(f"the first {count} of {len(known)} columns", fontsize=9)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        return Image.open(buffer).convert("RGB")

    def _draw(self, axis: Any, number: int, made: Tensor, real: Tensor | None) -> None:
        column = self.state["columns"][number]
        axis.set_title(column["name"], fontsize=9, parse_math=False)
        axis.tick_params(labelsize=8)
        axis.set_yticks([])
        numbers = column["kind"] == "number"
        low, high = column["range"] if numbers else (-0.5, len(column["values"]) - 0.5)
        edges = np.linspace(low, max(high, low + 1e-6), 31 if numbers else len(column["values"]) + 1)
        for values, colour in ((real, REAL), (made, MADE)):
            if values is not None and len(shown := values[values.isfinite()]):
                axis.hist(shown.numpy(), edges, density=True, color=colour, alpha=0.5)
        if not numbers and len(column["values"]) <= 8:
            words = [word if len(word) <= LETTERS else f"{word[: LETTERS - 1]}…" for word in column["values"]]
            upright = {"rotation": 30, "ha": "right"} if sum(map(len, words)) > IN_A_LINE else {}
            axis.set_xticks(range(len(words)), words, parse_math=False, **upright)

    def sheet_of_real(self, items: Tensor) -> Image.Image:
        return self.sheet(items[:0], real=items)


def _kinds(column: Mapping[str, Any]) -> int:
    """Modes or words of a column; one more where some are missing."""
    return len(column["modes" if column["kind"] == "number" else "values"]) + bool(column["missing"])


def _said(column: Mapping[str, Any]) -> str:
    """A column's type in words."""
    if column["kind"] == "category":
        kind = f"one of {len(column['values'])}"
    else:
        kind = f"{column['decimals']} decimals" if column["decimals"] else "whole number"
        kind += f", in {marks}" if (marks := (column.get("before", "") + column.get("after", "")).strip()) else ""
    return kind + (", some missing" if column["missing"] else "")


def _text(value: float, column: Mapping[str, Any]) -> str:
    if math.isnan(value):
        return ""
    if column["kind"] == "category":
        return str(column["values"][int(value)])
    return f"{column.get('before', '')}{value:.{column['decimals']}f}{column.get('after', '')}"
