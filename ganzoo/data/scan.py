"""The one reading of every item when a data set is added: what cannot be read, sizes, colours and the fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    domain_channels: dict[str, int] = field(default_factory=dict)
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


def scan(
    reader: Reader, where: str, report: Report, *, skip_bad: bool, domains: Mapping[str, Sequence[int]] | None = None
) -> Scan:
    """Read every item of `reader` with one thread a processor.

    Args:
        domains: of indices, whose channels are asked for; None for the reader's.

    Raises:
        UsageError: fewer than two items are left, or more than 5 % cannot be read and `skip_bad` is False.
    """
    domains = reader.domains if domains is None else domains
    result, digests = Scan(), hashlib.sha256()
    colours: dict[int, tuple[bool, bool]] = {}
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
        colours[index] = seen.grey, seen.alpha
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
    if result.sizes:
        result.channels = _channels(colours.values())
        for domain in (name for name in domains if not name.startswith("test")):
            members = (*domains[domain], *domains.get(f"test{domain}", ()))
            result.domain_channels[domain] = _channels([colours[index] for index in members if index in colours])
    _check(result, where, skip_bad)
    return result


def _channels(colours: Iterable[tuple[bool, bool]]) -> int:
    """Of images of which is said whether they are grey, and whether they may be transparent."""
    seen = list(colours)
    return 1 if all(grey for grey, _ in seen) else 4 if all(alpha for _, alpha in seen) else 3


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
