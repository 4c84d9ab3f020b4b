"""Which items of two or more domains belong together: by file name, or by a list. Row k of each domain is a pair."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from itertools import takewhile
from pathlib import Path, PurePosixPath

from ganzoo.data.label_files import finder, split_lines
from ganzoo.data.labels import listed, lookup_of, without_wrapper
from ganzoo.data.layout import Layout
from ganzoo.data.source import HELD_OUT, trained_on
from ganzoo.errors import UsageError, printable
from ganzoo.files import read_text

HALVES, NAMES = "halves", "names"
Domains = dict[str, list[int]]


def halves(count: int, layout: Layout) -> Domains:
    """Domains of pictures A|B, whose left halves are the first `count` items; pictures held out are in testA, testB."""
    domains: Domains = {}
    for index in (index for index in range(count) if index not in layout.left_out):
        for side, domain in enumerate("AB"):
            name = f"{HELD_OUT}{domain}" if index in layout.held_out else domain
            domains.setdefault(name, []).append(index + side * count)
    return domains


def paired(how: str, names: Sequence[str], layout: Layout) -> Domains:
    """Domains whose k-th items belong together, as ``--pairs`` says; items without a partner are in none.

    Raises: UsageError when there are no pairs, or the list cannot be read.
    """
    if how == HALVES:
        return {name: list(members) for name, members in layout.domains.items()}
    pairs = by_name(layout) if how == NAMES else by_list(Path(os.path.expanduser(how)), names, layout.held_out)
    if not any(pairs.values()):
        domains = layout.domains or _folders(layout.names, (), 0)
        examples = [names[members[0]] for members in domains.values() if members][:2]
        unlike = f", unlike {' and '.join(map(printable, examples))}" if len(examples) > 1 else ""
        raise UsageError(
            f"No two images are a pair: with --pairs names partners have one file name, in two folders{unlike}; else "
            "list them: --pairs FILE."
        )
    if how == NAMES and not layout.domains:
        layout.notes.append(f"Files of one name in {listed(trained_on(pairs))} are pairs.")
    return pairs


def by_name(layout: Layout) -> Domains:
    """Partners have one name, whatever its suffix, in folders of their own; these may also lie in each of several
    folders, as S1/blur and S1/sharp beside S2/blur and S2/sharp, where more files, or fewer folders, are so paired.

    Where none have, what all names of a folder end in does not count, nor the folders in it that all lie in:
    images/a.jpg and masks/png/a_mask.png.
    """
    names = layout.names
    if layout.domains:
        return _partners([_key(name, 0) for name in names], layout.domains)
    found = [
        _partners([_key(name, depth) for name in names], _folders(names, layout.held_out, depth)) for depth in (0, 1)
    ]
    return max(found, key=lambda domains: (sum(map(len, domains.values())), -len(domains)))


def _partners(keys: Sequence[str], domains: Mapping[str, Sequence[int]]) -> Domains:
    """The items of each domain whose key, a file's name, is in all of them."""
    pairs: Domains = {}
    for group in _trained_and_held_out(domains):
        inner = [[keys[index] for index in domains[name]] for name in group]
        if len(group) > 1 and not set.intersection(*map(set, inner)):
            inner = [_short(without_wrapper(words)) for words in inner]
        places = [dict(zip(words, domains[name], strict=True)) for name, words in zip(group, inner, strict=True)]
        common = sorted(set.intersection(*map(set, places))) if len(places) > 1 else []
        pairs.update(
            {name: [place[word] for word in common] for name, place in zip(group, places, strict=True) if common}
        )
    return pairs


def by_list(path: Path, names: Sequence[str], held_out: Set[int] = frozenset()) -> Domains:
    """Domains A and B from a CSV of two names a line; a first line that names no item is taken for a heading."""
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"Cannot read {path}; --pairs takes halves, names, or a CSV file of two names a line."
        ) from error
    rows = split_lines(text, lookup_of(names))
    find = finder(names, [word for _, row in rows for word in row])
    pairs: Domains = {"A": [], "B": [], "testA": [], "testB": []}
    for place, (number, row) in enumerate(rows):
        items = {word: find(word) for word in row}
        missing = [word for word, item in items.items() if item is None]
        if place == 0 and len(missing) == len(items):
            continue
        if len(row) != 2 or missing:
            what = f"{missing[0]!r} is not in the source" if missing else f"{len(row)} names, not two"
            raise UsageError(f"{path}, line {number}: {what}; each line should read: file of A,file of B.")
        side = HELD_OUT if held_out & {*items.values()} else ""
        for domain, word in zip("AB", row, strict=True):
            pairs[side + domain].append(items[word] or 0)
    return {name: members for name, members in pairs.items() if members}


def whole(domains: Mapping[str, Sequence[int]], there: Collection[int]) -> Domains:
    """The pairs whose items are all `there`."""
    pairs: Domains = {}
    for names in _trained_and_held_out(domains):
        kept = [row for row in zip(*(domains[name] for name in names), strict=True) if all(i in there for i in row)]
        pairs.update({name: [row[place] for row in kept] for place, name in enumerate(names) if kept})
    return pairs


def _trained_and_held_out(domains: Iterable[str]) -> tuple[list[str], list[str]]:
    trained = list(trained_on(domains))
    return trained, [name for name in domains if name not in trained]


def _folders(names: Sequence[str], held_out: Collection[int], depth: int) -> Domains:
    """Items by the name of the folder at this depth that they lie in, with "test" before it where they are held out."""
    domains: Domains = {}
    for index, name in enumerate(names):
        if len(folders := name.split("/")[:-1]) > depth:
            domains.setdefault((HELD_OUT if index in held_out else "") + folders[depth], []).append(index)
    return domains


def _key(name: str, depth: int) -> str:
    """A path without its suffix and the folder at a depth of it."""
    parts = name.removesuffix(PurePosixPath(name).suffix).split("/")
    return "/".join(parts[:depth] + parts[depth + 1 :])


def _short(words: Sequence[str]) -> list[str]:
    """Names without the ending, from a mark on, that all of them have: a of a_mask, img1 of img1-label."""
    alike = takewhile(lambda letters: len({*letters}) == 1, zip(*(reversed(word) for word in words), strict=False))
    shared = "".join(letter for letter, *_ in alike)[::-1]
    ending = re.search(r"[-_. ].*", shared) if len(words) > 1 else None
    return [word.removesuffix(ending[0] if ending else "") for word in words]
