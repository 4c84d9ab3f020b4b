"""Data sets: items of the right kind, the same whenever and wherever they are read, and labels that have names."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.options import build, options
from ganzoo.data.source import Source, as_image, is_vector, modality_of, trained_on, traits_of
from ganzoo.errors import UsageError
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.kinds.cards import check_card
from ganzoo.testing.probes.offline import offline
from ganzoo.testing.probes.subprocess import python

FEW, MANY = 5, 200  # items that are read, and whose labels are
SIZE = (24, 32)  # height and width asked of sources that draw at any

# What a process of its own, with another order of sets and another hash of strings, reads.
ELSEWHERE = """
import importlib, json, sys
from ganzoo.testing.kinds.datasets import digests
module, name, given, indices = sys.argv[1:]
source = getattr(importlib.import_module(module), name)(**json.loads(given))
print(json.dumps(digests(source, json.loads(indices))))
"""


def dataset_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a data set. What would have to be fetched is not; its checks are skipped."""
    for promise, check in PROMISES.items():
        yield Check(promise, name, "dataset", partial(_offline, partial(check, entry)), "dataset")
    yield Check("card", name, "dataset", partial(check_card, entry), "dataset")


def _offline(check: Callable[[], None]) -> None:
    with offline("its items are not here yet; train on it once, which fetches them, and check again"):
        check()


def _make(entry: Entry, **given: Any) -> Source:
    try:
        source: Source = build(entry.load(), given, f"the data set {entry.name}")
    except UsageError as error:
        raise NotChecked(f"It cannot be made without options: {error}") from error
    return source


def _indices(source: Source, count: int) -> list[int]:
    """As many items, from the first to the last."""
    total = len(source)
    require(total >= 2, f"It has {total} items; training takes two or more.")
    return sorted({round(k * (total - 1) / (count - 1)) for k in range(count)})


def check_items(entry: Entry) -> None:
    """Items are images of one size, or vectors, of the type and range that ganzoo packs."""
    source = _make(entry)
    if modality_of(source) not in ("image", "point"):
        _check_numbers(source)
        return
    shapes, said = set(), traits_of(source).domain_sizes
    for index in _indices(source, FEW):
        item = source.read(index)
        _check_item(item, f"read({index})")
        shapes.add(np.asarray(item).shape[:2])
    advice = "give images of one size, or say domain_sizes"
    require(len(shapes) == 1 or bool(said), f"Its items have several sizes, {sorted(shapes)}; {advice}.")
    first = source.read(0)
    shape = getattr(source, "shape", None)
    if shape is not None and not is_vector(first):
        image = as_image(first)
        own = (len(image.getbands()), image.height, image.width)
        require(tuple(shape) == own, f"Its shape is {tuple(shape)}, and its first image is {own}: say that.")
    if not is_vector(first):
        _check_item(source.read(0, SIZE), f"read(0, {SIZE})")
    named = source.domains
    for domain, members in named.items():
        ends = [members[0], members[-1]] if len(members) else []
        inside = len(members) >= 2 and all(0 <= index < len(source) for index in ends)
        require(inside, f"The domain {domain} must have two or more numbers of items, below {len(source)}.")


def _check_numbers(source: Source) -> None:
    """Items of another modality are float32 of one shape."""
    items = [source.read(index) for index in _indices(source, FEW)]
    for item in items:
        right = isinstance(item, np.ndarray) and item.dtype == np.float32
        require(right, "Its items must be numpy arrays of float32: .astype(numpy.float32).")
    shapes = {np.asarray(item).shape for item in items}
    require(len(shapes) == 1, f"Its items have several shapes, {sorted(shapes)}; give items of one shape.")


def _check_item(item: Any, what: str) -> None:
    if isinstance(item, Image.Image):
        require(item.mode in ("L", "RGB", "RGBA"), f"{what} is an image of mode {item.mode}; convert it to L or RGB.")
        return
    require(isinstance(item, np.ndarray), f"{what} is a {type(item).__name__}; give a PIL image or a numpy array.")
    if is_vector(item):
        right = item.dtype == np.float32 and bool(np.isfinite(item).all())
        require(right, f"{what} is a vector of {item.dtype}; give finite numbers, .astype(numpy.float32).")
        return
    require(
        item.dtype == np.uint8,
        f"{what} has pixels of {item.dtype}; give them as bytes from 0 to 255: (255 * x).round().astype(numpy.uint8).",
    )
    right = item.ndim == 2 or (item.ndim == 3 and item.shape[2] in (1, 3, 4))
    require(right, f"{what} has the shape {item.shape}; pixels are [H, W] or [H, W, C], the channels last.")


def check_labels(entry: Entry) -> None:
    """Labels are numbers of classes, and classes have names of their own."""
    source = _make(entry)
    classes = source.classes
    named = all(isinstance(name, str) and name for name in classes) and len(set(classes)) == len(classes)
    require(named, f"Its classes {classes!r} must be different names.")
    if columns := tuple(traits_of(source).label_names):
        _check_columns(source, columns)
        return
    for index in _indices(source, MANY):
        if classes:
            label = source.label(index)
            inside = isinstance(label, (int, np.integer)) and -1 <= label < len(classes)
            require(
                inside,
                f"label({index}) is {label!r}, and there are {len(classes)} classes: give a number from 0 to "
                f"{len(classes) - 1}, or -1 for none.",
            )


def _check_columns(source: Source, names: Sequence[str]) -> None:
    """Labels that are no classes are rows of attributes or numbers, one a column."""
    kind = traits_of(source).label_kind
    require(kind in ("attributes", "numbers"), f'Its label_kind is {kind!r}; say "attributes" or "numbers".')
    require(not source.classes, "It has classes and label_names; an item has one kind of label.")
    for index in _indices(source, MANY):
        row = np.asarray(source.label(index), dtype=np.float64)
        advice = "0 or 1 for each of them" if kind == "attributes" else "a number for each of them"
        right = row.shape == (len(names),) and bool(np.isfinite(row).all())
        right = right and (kind == "numbers" or bool(np.isin(row, (0, 1)).all()))
        require(right, f"label({index}) is {source.label(index)!r}, and there are {len(names)} label_names: {advice}.")


def check_domains(entry: Entry) -> None:
    """What a source says of its domains, its partners and what it holds out is true."""
    source = _make(entry)
    domains, traits = source.domains, traits_of(source)
    held_out = list(traits.held_out)
    inside = all(0 <= index < len(source) for index in held_out) and len(set(held_out)) < len(source)
    require(inside, f"Its held_out must be numbers of items, below {len(source)}, and leave some to train on.")
    require(not (held_out and domains), 'Items of domains are held out by domains whose names begin with "test".')
    for domain, count in traits.domain_channels.items():
        require(domain in domains, f"domain_channels names {domain!r}, and the domains are {', '.join(domains)}.")
        pixels = np.asarray(source.read(domains[domain][0]))
        own = pixels.shape[2] if pixels.ndim == 3 else 1
        require(own == count, f"domain_channels says {count} for {domain}, and its first item has {own}.")
    for domain, size in traits.domain_sizes.items():
        require(domain in domains, f"domain_sizes names {domain!r}, and the domains are {', '.join(domains)}.")
        shape = np.asarray(source.read(domains[domain][0])).shape[:2]
        require(shape == tuple(size), f"domain_sizes says {tuple(size)} for {domain}, and its first item is {shape}.")
    if getattr(source, "partner", None) is not None and len(trained_on(domains)) == 2:
        first, other = trained_on(domains)
        answer: Any = getattr(source, "partner")(domains[first][0], SIZE)  # noqa: B009 (of some sources only)
        like = np.asarray(source.read(domains[other][0], SIZE))
        require(
            np.asarray(answer).shape == like.shape,
            f"partner gives an item of shape {np.asarray(answer).shape}, and those of {other} have {like.shape}.",
        )


def check_deterministic(entry: Entry) -> None:
    """An item is the same whenever it is read, in whatever order, and by whatever process."""
    source = _make(entry)
    indices = _indices(source, FEW)
    first = digests(source, indices)
    advice = "draw it from numpy.random.default_rng((self.seed, index)), and keep nothing between two."
    for index, one, other in zip(indices, first, digests(source, indices), strict=True):
        require(one == other, f"read({index}) gives another item when it is read again; {advice}")
    backwards = digests(_make(entry), indices[::-1])[::-1]
    for index, one, other in zip(indices, first, backwards, strict=True):
        require(one == other, f"read({index}) depends on what was read before; {advice}")
    require(_make(entry).fingerprint == source.fingerprint, "Its fingerprint differs from one to the next.")
    elsewhere = _digests_elsewhere(source, indices)
    if elsewhere is not None:
        for index, one, other in zip(indices, first, elsewhere, strict=True):
            require(
                one == other,
                f"read({index}) gives another item in another process, and several of them pack a data set; leave "
                "out hash() and the order of sets.",
            )


def check_seed(entry: Entry) -> None:
    """Another seed gives other items, and so another fingerprint."""
    if "seed" not in options(entry.load()):
        return
    one, other = _make(entry), _make(entry, seed=1234)
    indices = _indices(one, FEW)
    require(digests(one, indices) != digests(other, indices), "Another seed gives the same items; draw them from it.")
    require(
        one.fingerprint != other.fingerprint,
        "Another seed has the same fingerprint, so that the old pack would be trained on; put every option into it.",
    )


def digests(source: Source, indices: Sequence[int]) -> list[str]:
    """A hash of each of these items' numbers."""
    found = []
    for index in indices:
        item = source.read(index)
        numbers = item if isinstance(item, np.ndarray) else np.asarray(item)
        found.append(hashlib.sha256(f"{numbers.dtype}{numbers.shape}".encode() + numbers.tobytes()).hexdigest())
    return found


def _digests_elsewhere(source: Source, indices: Sequence[int]) -> list[str] | None:
    """The same, read by another process; None where the class cannot be imported there."""
    cls = type(source)
    words = [cls.__module__, cls.__qualname__, json.dumps({name: getattr(source, name) for name in options(cls)})]
    done = python("-c", ELSEWHERE, *words, json.dumps(list(indices)), folder=os.getcwd(), PYTHONHASHSEED="4321")
    with suppress(ValueError):
        found: list[str] = json.loads(done.stdout)
        return found
    if "No module named" in done.stderr or "has no attribute" in done.stderr:
        return None
    raise NotChecked(f"Another process cannot read it: {done.stderr.strip().splitlines()[-1:]}")


PROMISES: dict[str, Callable[[Entry], None]] = {
    "items": check_items,
    "labels": check_labels,
    "domains": check_domains,
    "deterministic": check_deterministic,
    "seed": check_seed,
}
