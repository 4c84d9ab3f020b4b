"""Labels as a user writes them, ``cat``, ``Smiling=1,Male=0`` or ``3.5``, and as networks take them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganzoo.contract.data_spec import DataSpec
from ganzoo.errors import UsageError, suggest


def labels_for(data: DataSpec, count: int, label: str | int | None, random: torch.Generator) -> Tensor:
    """Labels for `count` items, as `Batch.label` has them; what `label` does not say is drawn from `random`.

    Args:
        label: a class by name, or by position as ``"#2"``; columns as ``a=1,b=0``, an attribute's name alone for 1, or
            numbers in the order of the columns, in the data's own units.
    Raises: UsageError when there is no such class or column, or it cannot have that value.
    """
    if not data.columns:
        if label is None:
            if not data.class_shares:
                return torch.randint(len(data.classes), (count,), generator=random)
            return torch.multinomial(torch.tensor(data.class_shares), count, replacement=True, generator=random)
        return torch.full((count,), find_label(data.classes, label))
    scale = torch.tensor(data.label_scale)
    if data.label == "numbers":
        drawn = torch.randn(count, data.columns, generator=random)
    else:
        drawn = (torch.rand(count, data.columns, generator=random) < scale[:, 0]).float()
    for column, value in written(data, label).items():
        mean, spread = data.label_scale[column] if data.label == "numbers" else (0.0, 1.0)
        drawn[:, column] = (value - mean) / spread
    return drawn


def repeated(label: Tensor | None, count: int) -> Tensor | None:
    """One item's label, [1] or [1, K], for `count` items; None where there is none."""
    return None if label is None else label.expand(count, *label.shape[1:])


def find_label(classes: tuple[str, ...], label: str | int) -> int:
    """The number of a class: the one of that name, else the one at a position, ``"#2"`` or a whole number of Python's.

    Raises: UsageError with the names.
    """
    word = str(label)
    if word in classes:
        return classes.index(word)
    place = word.removeprefix("#")
    position = word.startswith("#") or isinstance(label, int)
    if position and place.isdecimal() and int(place) < len(classes):
        return int(place)
    number = place.removeprefix("-").isdecimal()  # to which no label is near
    known = f"known: {', '.join(classes)}." if number else suggest(word, classes)
    if number and not position and word.isdecimal() and int(word) < len(classes):
        known += f" The position {word} is written '#{word}', which is {classes[int(word)]}."
    raise UsageError(f"There is no label {label!r}; {known}")


def written(data: DataSpec, label: str | int | None) -> dict[int, float]:
    """The columns of attributes or numbers that `label` names, with their values. Raises: UsageError."""
    words = [] if label is None else [word.strip() for word in str(label).split(",")]
    chosen: dict[int, float] = {}
    for place, word in enumerate(words):
        name, equals, text = word.rpartition("=")
        if not equals:
            in_order = word not in data.label_names and _number(word) is not None and place < data.columns
            name, text = (data.label_names[place], word) if in_order else (word, "1")
            if data.label == "numbers" and not in_order:
                text = ""
        if name not in data.label_names:
            raise UsageError(f"There is no column {name!r} among the labels; {suggest(name, data.label_names)}")
        value = _number(text)
        if value is None:
            raise UsageError(f"--label takes a number for the column {name!r}, such as {name}=1.")
        if data.label == "attributes" and value not in (0, 1):
            raise UsageError(f"The attribute {name!r} is 1 or 0, not {text}; write --label {name}=1.")
        chosen[data.label_names.index(name)] = value
    return chosen


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
