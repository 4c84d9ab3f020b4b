"""Which item has which label, and which lies in which domain, as folders say; `label_files` reads files of labels."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ganzoo.errors import UsageError, escaped, printable

_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
_DOMAIN_FOLDER = re.compile("((?i:train|test|val|valid|validation))[-_]?([A-Z])")


@dataclass
class Labels:
    """The items' labels; empty when there are none.

    Attributes:
        classes: names in order, where labels are classes; `of` has the position of each item's.
        columns: names of attributes (0 or 1) or numbers, as `kind` says; `of` has each item's row of them.
        notes: what whoever adds the data should know of them.
        missing, held_out: items without a label, which are held out, and those that the file of labels holds out.
    """

    classes: tuple[str, ...] = ()
    of: list[Any] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    kind: str = ""
    notes: list[str] = field(default_factory=list)
    missing: set[int] = field(default_factory=set)
    held_out: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        # A folder's name may hold what a terminal obeys, or be no UTF-8, which all is that is written of a run.
        self.classes, self.columns = tuple(map(_written_out, self.classes)), tuple(map(_written_out, self.columns))
        for name, count in (Counter(self.classes) + Counter(self.columns)).items():
            if count > 1:
                what = "classes" if self.classes else "columns"
                raise UsageError(f"There are {count} {what} called {name}; give them names that can be told apart.")
        for word, count in Counter(map(str.casefold, self.classes)).items():
            if count > 1:
                alike = [name for name in self.classes if name.casefold() == word]
                self.notes.append(f"The classes {' and '.join(alike)} differ in capitals alone.")


def composed(name: str) -> str:
    """A name as keyboards type it: macOS writes é in a file's name as e and an accent, which looks the same."""
    return unicodedata.normalize("NFC", name)


def _written_out(name: str) -> str:
    return escaped(composed(name)).replace("\n", "\\n").replace("\t", "\\t")


def listed(names: Sequence[str], most: int = 12) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(printable, names[:most])) + more


def label_list(values: Sequence[Any]) -> Labels:
    """Labels from one value an item. Whole numbers are ordered as numbers."""
    words = [str(value) for value in values]
    classes = sorted({*words}, key=int if all(map(_NUMBER.fullmatch, words)) else None)
    position = {word: index for index, word in enumerate(classes)}
    return Labels(tuple(classes), [position[word] for word in words])


def without_wrapper(names: Sequence[str]) -> list[str]:
    """`names` without the folders that all of them lie in, up to one that is a domain's."""
    relative = list(names)
    while relative:
        tops = {name.partition("/")[0] if "/" in name else "" for name in relative}
        if len(tops) != 1 or tops & {""} or any(map(_DOMAIN_FOLDER.fullmatch, tops)):
            break
        relative = [name.partition("/")[2] for name in relative]
    return relative


def domains_from_folders(names: Sequence[str]) -> dict[str, list[int]]:
    """Domains A, B, … from the folders trainA, trainB, …, kept apart from testA, testB, …; {} without them.

    Raises:
        UsageError: only one of them has images.
    """
    domains: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        match = _DOMAIN_FOLDER.fullmatch(name.partition("/")[0]) if "/" in name else None
        if match:
            domains.setdefault(match[2] if match[1].lower() == "train" else f"test{match[2]}", []).append(index)
    there = sorted(name for name in domains if len(name) == 1)
    if not there:
        return {}
    missing = {"A", "B"} - {*there} if len(there) == 1 else {name[-1] for name in domains} - {*there}
    if missing:
        domain = min(missing)
        raise UsageError(f"There are no images for the domain {domain}; they should be in a folder train{domain}.")
    return {name: domains[name] for name in sorted(domains)}


def unpadded(name: str) -> str:
    """A name with its numbers as short as they can be, img_7 for img_0007, marked as no name that is written."""
    return "\0" + re.sub(r"(?<!\d)0+(?=\d)", "", name)


def lookup_of(names: Sequence[str]) -> dict[str, int]:
    """Every way to write an image's name -> its index: whole, without the wrapping folder, its last part alone, that
    without its suffix, or without zeros before its numbers too.
    """
    lookup: dict[str, int] = {}
    lasts = [PurePosixPath(name) for name in names]
    stems = [last.stem for last in lasts]
    for short in ([unpadded(stem) for stem in stems], stems, [last.name for last in lasts]):
        if len(set(short)) == len(short):
            lookup.update({word: index for index, word in enumerate(short)})
    lookup.update({name: index for index, name in enumerate(without_wrapper(names))})
    lookup.update({name: index for index, name in enumerate(names)})
    return {**{composed(word): index for word, index in lookup.items()}, **lookup}
