"""The one reading of every item when a data set is added: what cannot be read, sizes, colours and the fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ganzoo.catalogue.modalities import modality_card
from ganzoo.contract.report import Report
from ganzoo.data.images import Reading, Survey, Unreadable
from ganzoo.data.kinds import kind_of
from ganzoo.data.levels import BYTES, advice, joined
from ganzoo.data.readers import Files, Halves, ItemFiles, Joined, Reader, Rows, aside_text, digest, mark
from ganzoo.data.source import HELD_OUT, trained_on
from ganzoo.errors import GanzooError, UsageError, printable
from ganzoo.files import processors

WORTH_SAYING = 10  # items of which most are copies
MAX_BAD = 0.05  # share of items that may be left out without being asked


@dataclass
class Scan:
    """What was found. `kept` are the indices of the items that can be used; `sizes` one (height, width) for each."""

    kept: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    channels: int | None = None
    domain_channels: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    modality: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    marks: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Seen:
    digest: str = ""
    picture: Survey | None = None
    problem: str = ""
    shape_and_details: tuple[tuple[int, ...], dict[str, Any]] | None = None  # of an item that is no picture
    empty: str = ""  # as `Survey.empty`


def scan(
    reader: Reader, where: str, report: Report, *, skip_bad: bool, domains: Mapping[str, Sequence[int]] | None = None
) -> Scan:
    """Read every item of `reader` with one thread a processor.

    Args:
        domains: of indices, whose channels are asked for; None for the reader's.

    Raises:
        UsageError: fewer than two items are left, or more than 5 % cannot be read and `skip_bad` is False.
    """
    layout = reader.layout
    domains = layout.domains if domains is None else domains
    result, digests = Scan(), hashlib.sha256()
    pictures: dict[int, Survey] = {}
    others: list[tuple[tuple[int, ...], dict[str, Any]]] = []
    aside: list[tuple[str, str]] = []
    contents = set[str]()
    empty: dict[str, list[str]] = {}

    # Item by item, in order: what can be used, and what it is.
    for index, seen in enumerate(_read_all(reader)):
        report("Reading", index + 1, len(reader.names))
        name = printable(reader.names[index])
        if index in layout.left_out:
            aside.append((name, layout.left_out[index]))
            continue
        if seen.problem:
            result.skipped.append((name, seen.problem))
            continue
        result.kept.append(index)
        result.marks.append(mark(seen.digest))
        contents.add(seen.digest.partition("\0")[2])
        if seen.empty:
            empty.setdefault(seen.empty, []).append(name)
        label = layout.labels.of[index] if layout.labels.of else -1
        digests.update(f"{seen.digest}{label}\n".encode(errors="surrogateescape"))
        if seen.shape_and_details is not None:
            others.append(seen.shape_and_details)
        if seen.picture is not None:
            pictures[index] = seen.picture
            result.sizes.append(seen.picture.size)

    # What only all of them together say: a modality's details, the levels.
    if result.sizes and len(result.sizes) != len(result.kept):
        raise UsageError(f"{where} mixes images and vectors; give one kind.")
    digests.update("\0".join(layout.labels.classes + layout.labels.columns).encode(errors="surrogateescape"))
    if isinstance(reader, (ItemFiles, Rows)) and result.kept:
        if isinstance(reader, ItemFiles):
            reader.settle(others)
        result.modality, result.details = reader.modality, dict(reader.details or {})
        result.shape = np.asarray(reader.decode(reader.data(result.kept[0]))).shape
        digests.update(json.dumps(result.details, sort_keys=True).encode())
    for part in _files(reader):
        result.skipped += part.odd.items()
    reader.settle_levels({index: picture.span for index, picture in pictures.items()})
    if isinstance(reader, Files | Joined | Halves):  # of arrays the bytes themselves differ
        digests.update("".join(str(reading.levels or "") for reading in reader.readings).encode())
    result.readings = list(reader.readings)
    result.notes = _notes(reader, pictures)
    result.notes += [f"Items {what}: {len(names):,}, such as {names[0]}." for what, names in sorted(empty.items())]
    if 2 * len(contents) <= len(result.kept) >= WORTH_SAYING:
        result.notes.append(
            f"Only {len(contents):,} of {len(result.kept):,} items are different, byte by byte; the others are copies."
        )
    if layout.held_out:
        digests.update(json.dumps([index in layout.held_out for index in result.kept]).encode())
    result.fingerprint = digests.hexdigest()
    if result.sizes:
        result.channels = _channels(pictures.values())
        for domain in trained_on(domains):
            members = (*domains[domain], *domains.get(f"{HELD_OUT}{domain}", ()))
            result.domain_channels[domain] = _channels([pictures[i] for i in members if i in pictures])
    name = getattr(reader, "modality", "").partition(":")[0]
    _check(result, where, modality_card(name).items if name else "images", skip_bad)
    result.skipped += aside
    return result


def _channels(pictures: Iterable[Survey]) -> int:
    """Grey when all are, with alpha when all may be transparent, else colour."""
    seen = list(pictures)
    return 1 if all(each.grey for each in seen) else 4 if all(each.alpha for each in seen) else 3


def _read_all(reader: Reader) -> Iterator[_Seen]:
    """What each item is, in order, never holding more than a few dozen of them."""
    with ThreadPoolExecutor(processors()) as pool:
        indices = iter(range(len(reader.names)))
        pending: list[Future[_Seen]] = [pool.submit(_read, reader, index) for index in islice(indices, 64)]
        try:
            while pending:
                yield pending.pop(0).result()
                pending.extend(pool.submit(_read, reader, index) for index in islice(indices, 1))
        finally:
            pool.shutdown(cancel_futures=True)


def _read(reader: Reader, index: int) -> _Seen:
    try:
        data = reader.data(index)
        content = digest(reader.names[index], data)
        if isinstance(reader, ItemFiles):
            shape, details, empty = reader.survey(data)
            return _Seen(content, shape_and_details=(shape, details), empty=empty)
        picture = reader.look(data)
        return _Seen(content, picture, empty=picture.empty if picture else "")
    except Unreadable as problem:
        return _Seen(problem=str(problem))


def _files(reader: Reader) -> list[Files]:
    """The readers of files in it."""
    inner = (
        reader.readers if isinstance(reader, Joined) else [reader.reader] if isinstance(reader, Halves) else [reader]
    )
    return [each for each in inner if isinstance(each, Files)]


def _notes(reader: Reader, pictures: Mapping[int, Survey]) -> list[str]:
    """What whoever adds a set should know of it: what was left out, and what will look wrong."""
    notes = []
    aside = sum((part.aside for part in _files(reader)), Counter[str]())
    if aside:
        notes.append(f"Passed over, since they are of other kinds: {aside_text(aside)}.")
    for part in _files(reader):
        gone = _folders(part.odd) - _folders(part.names)
        notes += [f"Nothing in the folder {folder} can be read." for folder in sorted(gone)]
    more = [picture.pages - 1 for picture in pictures.values() if picture.pages > 1]
    if more and reader.readings[0].pages == "first":
        files = "1 file has" if len(more) == 1 else f"{len(more):,} files have"
        notes.append(f"{files} {sum(more):,} further pages or frames, which are left out; --pages all takes them.")
    groups = reader.by_source if isinstance(reader, Joined) else [list(pictures)]
    for reading, indices in zip(reader.readings, groups, strict=True):
        span = joined(pictures[index].span for index in indices if index in pictures)
        if span is not None:
            notes += filter(None, [advice(span, reading.levels or BYTES)])
    return notes


def _folders(names: Iterable[str]) -> set[str]:
    return {str(PurePosixPath(name).parent) for name in names}


def _by_reason(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """What was left out, as at most three sentences."""
    if len(skipped) <= 3:
        return [f"{name} {reason}" for name, reason in skipped]
    examples: dict[tuple[str, str], list[str]] = {}
    for name, reason in skipped:
        examples.setdefault((kind_of(name), reason), []).append(name)
    most = sorted(examples.items(), key=lambda each: -len(each[1]))[:3]
    return [f"{len(names):,} {kind}, such as {names[0]}, which {reason}" for (kind, reason), names in most]


def _check(result: Scan, where: str, items: str, skip_bad: bool) -> None:
    total = len(result.kept) + len(result.skipped)
    if result.skipped and (not result.kept or (len(result.skipped) > MAX_BAD * total and not skip_bad)):
        first = "; ".join(_by_reason(result.skipped))
        advice = "repair or remove them, or go on without them with --skip-bad" if result.kept else "check the source"
        raise GanzooError(f"{len(result.skipped)} of {total} {items} in {where} cannot be used ({first}); {advice}.")
    if len(result.kept) < 2:
        raise UsageError(
            f"{where} has only one {'image' if items == 'images' else 'item'} that can be used; "
            "a data set needs two or more."
        )
