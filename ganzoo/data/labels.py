"""Which item has which label, and which lies in which domain: from folders, a CSV file or a StyleGAN dataset.json."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ganzoo.errors import UsageError

_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
DOMAIN_FOLDERS = {"trainA": "A", "trainB": "B", "testA": "testA", "testB": "testB"}


@dataclass
class Labels:
    """Label names in order, and the position of each item's label; both empty when there are no labels."""

    classes: tuple[str, ...] = ()
    of: list[int] = field(default_factory=list)


def label_list(values: Sequence[Any], names: Sequence[str] = ()) -> Labels:
    """Labels from one value an item. Whole numbers are ordered as numbers, and `names` may name them."""
    if all(_NUMBER.fullmatch(str(value)) for value in values):
        numbers = [int(value) for value in values]
        kinds = list(range(len(names))) if names else sorted(set(numbers))
        place = {number: index for index, number in enumerate(kinds)}
        return Labels(tuple(names) or tuple(map(str, kinds)), [place.get(number, -1) for number in numbers])
    words = [str(value) for value in values]
    classes = tuple(sorted(set(words)))
    position = {word: index for index, word in enumerate(classes)}
    return Labels(classes, [position[word] for word in words])


def without_wrapper(names: Sequence[str]) -> list[str]:
    """`names` without the folders that all of them lie in, up to one that is a domain's."""
    relative = list(names)
    while relative:
        tops = {name.partition("/")[0] if "/" in name else "" for name in relative}
        if len(tops) != 1 or tops & {"", "trainA", "trainB"}:
            break
        relative = [name.partition("/")[2] for name in relative]
    return relative


def from_folders(names: Sequence[str]) -> Labels:
    """The first folder of each of `names` (already without wrapper) as its label, when all lie in one."""
    if not names or any("/" not in name for name in names):
        return Labels()
    return label_list([name.partition("/")[0] for name in names])


def domains_from_folders(names: Sequence[str]) -> dict[str, list[int]]:
    """Domains A and B from the folders trainA and trainB, kept apart from testA and testB; {} without them.

    Raises:
        UsageError: only one of the two has images.
    """
    domains: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        domain = DOMAIN_FOLDERS.get(name.partition("/")[0]) if "/" in name else None
        if domain:
            domains.setdefault(domain, []).append(index)
    there = {"A", "B"} & domains.keys()
    if len(there) == 1:
        (missing,) = {"A", "B"} - there
        raise UsageError(f"There are no images for the domain {missing}; they should be in a folder train{missing}.")
    if not there:
        return {}
    return {name: domains[name] for name in sorted(domains)}


def from_json(text: bytes | str, names: Sequence[str], where: str) -> Labels:
    """Labels from a ``dataset.json``: {"labels": [["00000/img.png", 6], …]}, null when there are none.

    A key "classes", where present, names the numbers 0, 1, ….

    Raises:
        UsageError: it is not such a file, or does not cover exactly the images.
    """
    try:
        value = json.loads(text)
        pairs = [] if value["labels"] is None else [(str(name), label) for name, label in value["labels"]]
        class_names = [str(name) for name in value.get("classes", ())]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f'{where} is not a list of labels; it should read {{"labels": [["folder/image.png", 6], …]}}.'
        ) from error
    return _matched(pairs, names, where, class_names) if pairs else Labels()


def from_csv(text: str, names: Sequence[str], where: str) -> Labels:
    """Labels from lines ``filename,label``; a first line that names no image is taken for a heading.

    Raises:
        UsageError: it is not such a file, or does not cover exactly the images.
    """
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if any(len(row) < 2 for row in rows) or not rows:
        raise UsageError(f"{where} is not a list of labels; each line should read: filename,label.")
    pairs = [(row[0].strip(), row[1].strip()) for row in rows]
    if pairs[0][0] not in _lookup(names):
        pairs = pairs[1:]
    return _matched(pairs, names, where)


def from_file(path: Path, names: Sequence[str]) -> Labels:
    """Labels from a file that a user gave: .json or .csv.

    Raises:
        UsageError: there is no such file, it cannot be read, or does not cover exactly the images.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read the labels file {path}; give a CSV file (filename,label) or JSON.") from error
    return (from_json if path.suffix.lower() == ".json" else from_csv)(text, names, str(path))


def _lookup(names: Sequence[str]) -> dict[str, int]:
    """Every way to write an image's name -> its index: whole, without the wrapping folder, or its last part alone."""
    lasts = [PurePosixPath(name).name for name in names]
    lookup = {last: index for index, last in enumerate(lasts)} if len(set(lasts)) == len(lasts) else {}
    lookup.update({name: index for index, name in enumerate(without_wrapper(names))})
    lookup.update({name: index for index, name in enumerate(names)})
    return lookup


def _matched(
    pairs: Sequence[tuple[str, Any]], names: Sequence[str], where: str, class_names: Sequence[str] = ()
) -> Labels:
    lookup = _lookup(names)
    unknown = [name for name, _ in pairs if name.removeprefix("./") not in lookup]
    if unknown:
        raise UsageError(
            f"{where} labels {_some(unknown)}, which the source does not have; "
            "write file names as they are in the source, or remove those lines."
        )
    values = {lookup[name.removeprefix("./")]: label for name, label in pairs}
    missing = [name for index, name in enumerate(names) if index not in values]
    if missing:
        raise UsageError(f"{where} has no label for {_some(missing)}; add the missing lines.")
    return label_list([values[index] for index in range(len(names))], class_names)


def _some(names: Sequence[str]) -> str:
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"
