"""The one reading of every item when a data set is added: what cannot be read, sizes, colours and the fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from ganzoo.data.images import Unreadable, has_alpha, is_grey
from ganzoo.data.readers import ItemFiles, Reader, Rows, digest
from ganzoo.data.source import Report, as_image, is_vector
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import processors

MAX_BAD = 0.05  # share of items that may be left out without being asked


@dataclass
class Scan:
    """What was found. `kept` are the indices of the items that can be used; `sizes` one (height, width) for each."""

    kept: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    channels: int | None = None
    fingerprint: str = ""
    modality: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Seen:
    digest: str = ""
    size: tuple[int, int] | None = None
    grey: bool = False
    alpha: bool = False
    problem: str = ""
    said: tuple[tuple[int, ...], dict[str, Any]] | None = None


def scan(reader: Reader, where: str, report: Report, *, skip_bad: bool) -> Scan:
    """Read every item of `reader` with one thread a processor.

    Raises:
        UsageError: fewer than two items are left, or more than 5 % cannot be read and `skip_bad` is False.
    """
    result, digests = Scan(), hashlib.sha256()
    grey = alpha = True
    said: list[tuple[tuple[int, ...], dict[str, Any]]] = []
    for index, seen in enumerate(_read_all(reader)):
        report("Reading", index + 1, len(reader.names))
        if seen.problem:
            printable = reader.names[index].encode(errors="replace").decode()
            result.skipped.append((printable, seen.problem))
            continue
        result.kept.append(index)
        label = reader.labels.of[index] if reader.labels.of else -1
        digests.update(f"{seen.digest}{label}\n".encode(errors="surrogateescape"))
        grey, alpha = grey and seen.grey, alpha and seen.alpha
        if seen.said is not None:
            said.append(seen.said)
        if seen.size is not None:
            result.sizes.append(seen.size)
    if result.sizes and len(result.sizes) != len(result.kept):
        raise UsageError(f"{where} mixes images and vectors; give one kind.")
    digests.update("\0".join(reader.labels.classes + reader.labels.columns).encode(errors="surrogateescape"))
    if isinstance(reader, (ItemFiles, Rows)) and result.kept:
        if isinstance(reader, ItemFiles):
            reader.settle(said)
        result.modality, result.details = reader.modality, dict(reader.details or {})
        result.shape = np.asarray(reader.decode(reader.data(result.kept[0]))).shape
        digests.update(json.dumps(result.details, sort_keys=True).encode())
    result.fingerprint = digests.hexdigest()
    result.channels = None if not result.sizes else 1 if grey else 4 if alpha else 3
    _check(result, where, skip_bad)
    return result


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
        if isinstance(reader, ItemFiles):
            said = reader.survey(data)
        else:
            item = reader.decode(data)
    except Unreadable as problem:
        return _Seen(problem=str(problem))
    mark = digest(reader.names[index], data)
    if isinstance(reader, ItemFiles):
        return _Seen(mark, said=said)
    if is_vector(item):
        return _Seen(mark)
    image = as_image(item)
    return _Seen(mark, (image.height, image.width), is_grey(image), has_alpha(image))


def _check(result: Scan, where: str, skip_bad: bool) -> None:
    total = len(result.kept) + len(result.skipped)
    if result.skipped and (not result.kept or (len(result.skipped) > MAX_BAD * total and not skip_bad)):
        first = "; ".join(f"{name} {reason}" for name, reason in result.skipped[:3])
        advice = "repair or remove them, or go on without them with --skip-bad" if result.kept else "check the source"
        raise GanzooError(f"{len(result.skipped)} of {total} images in {where} cannot be used ({first}); {advice}.")
    if len(result.kept) < 2:
        raise UsageError(f"{where} has only one image that can be used; a data set needs two or more.")
