"""Data ready to train from: batches gathered by index, on the device where the pack fits there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ganzoo.catalogue.modalities import make_modality, modality_class
from ganzoo.contract.modality import Modality
from ganzoo.contract.randomness import stream
from ganzoo.contract.report import Report, silent
from ganzoo.data import pack, store
from ganzoo.data.pack_worker import Format, draw
from ganzoo.data.pairs import whole
from ganzoo.data.source import (
    HELD_OUT,
    Sizes,
    Source,
    Traits,
    domains_of,
    holdings,
    modality_of,
    size_in,
    trained_on,
    traits_of,
)
from ganzoo.errors import UsageError, suggest
from ganzoo.files import processors

MAX_BAD = 0.05  # share of images that may be too small
TRAIN, TEST = "train", "test"  # the parts of a set without domains
JUDGED = 5000  # items that `split` holds out, at the most
FITTED = 50_000  # items that a modality is fitted on, at the most
COPIED = 4096  # rows at a time that go onto a device
ON_DEVICE = 0.3  # share of the device's free memory that a pack may take


class Rows(Protocol):
    """Where rows come from: uint8 [N, H, W, C], or float32 [N, D]."""

    def take(self, rows: Tensor) -> Tensor:
        """Rows int64 [B] -> [B, …], on the device."""

    def expect(self, rows: Tensor) -> None:
        """These rows will be taken next."""

    def to(self, device: torch.device) -> Rows: ...


class Packed:
    """Rows of a pack: in the host's memory as mapped from disk, or on a CUDA device when they fit there."""

    def __init__(
        self, rows: Tensor, device: torch.device, ahead: Callable[[Iterable[int]], None] | None = None
    ) -> None:
        """`ahead`: as `pack.reading_ahead` gives it."""
        self._rows, self._device, self._ahead = rows, device, ahead

    def take(self, rows: Tensor) -> Tensor:
        self.expect(rows)
        taken = self._rows[rows.to(self._rows.device, non_blocking=True)]
        return _sent(taken, self._device)

    def expect(self, rows: Tensor) -> None:
        if self._ahead is not None:
            self._ahead(rows.tolist())

    def to(self, device: torch.device) -> Packed:
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if self._rows.nbytes < ON_DEVICE * free:
                return Packed(self.copied(device), device)
        return Packed(self._rows, device, self._ahead)

    def copied(self, device: torch.device) -> Tensor:
        """All rows on a device, read from the disk in order, some at a time."""
        whole = torch.empty_like(self._rows, device=device)
        for some in torch.split(torch.arange(len(whole)), COPIED):
            self.expect(some)
            part = slice(int(some[0]), int(some[-1]) + 1)
            whole[part] = self._rows[part]
        return whole


class Decoded:
    """Rows decoded when they are taken, by a pool of threads, for sets too large to unpack."""

    def __init__(self, job: pack.Job, source: Source, device: torch.device) -> None:
        self.job, self._source, self._device = job, source, device
        self._pool = ThreadPoolExecutor(processors(), thread_name_prefix="ganzoo-decode")
        self._ahead: dict[tuple[int, ...], list[Future[Any]]] = {}

    def take(self, rows: Tensor) -> Tensor:
        key = tuple(rows.tolist())
        futures = self._ahead.pop(key, None) or self._submit(key)
        return _sent(torch.from_numpy(np.stack([future.result() for future in futures])), self._device)

    def expect(self, rows: Tensor) -> None:
        key = tuple(rows.tolist())
        self._ahead = {key: self._submit(key)}

    def to(self, device: torch.device) -> Decoded:
        return Decoded(self.job, self._source, device)

    def _submit(self, rows: Sequence[int]) -> list[Future[Any]]:
        return [self._pool.submit(draw, self._source, self.job.rows[row], self.job.form) for row in rows]


def _sent(rows: Tensor, device: torch.device) -> Tensor:
    if rows.device == device:
        return rows
    if device.type == "cuda":
        return rows.pin_memory().to(device, non_blocking=True)
    return rows.to(device)


def floats(rows: Tensor) -> Tensor:
    """Bytes of images [B, H, W, C] as [B, C, H, W] in [-1, 1], channels last in memory; other rows as they are."""
    if rows.dtype != torch.uint8:
        return rows
    return rows.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1.0)


@dataclass(frozen=True, eq=False)
class Part:
    """The items of one domain, or of a plain set.

    Attributes:
        rows: that the items are among; index: int64 [N] on the host, which of them they are.
        labels: on the device, int64 [N], positions in the data set's classes (-1: none), or float32 [N, K] of
            attributes or numbers as `Batch.label` has them; None when it has no labels.
        encode: rows as items; channels: of grey images in a pack of colours, 1; None for all that the pack has.
    """

    rows: Rows
    index: Tensor
    labels: Tensor | None
    encode: Callable[[Tensor], Tensor] = floats
    channels: int | None = None

    def __len__(self) -> int:
        return len(self.index)

    def gather(self, indices: Tensor) -> Tensor:
        """The items at `indices`, int64 [B] on the host, as float32 on the device.

        Images are [B, C, H, W] in [-1, 1], channels last in memory; others as their modality encodes them.
        """
        return self.encode(self.raw(indices))

    def raw(self, indices: Tensor) -> Tensor:
        """The same as the pack has them."""
        return self.rows.take(self.index[indices])[..., : self.channels]

    def prefetch(self, indices: Tensor) -> None:
        """Say which items are gathered next; those that are not in memory yet are read or decoded meanwhile."""
        self.rows.expect(self.index[indices])

    def subset(self, indices: Tensor) -> Part:
        """The items at `indices` alone, int64 [B] on the host, in that order."""
        labels = None if self.labels is None else self.labels[indices.to(self.labels.device)]
        return replace(self, index=self.index[indices], labels=labels)

    def encoded(self, modality: Modality) -> Part:
        return replace(self, encode=modality.encode)

    def labelled(self, label: int | None = None) -> Part:
        """The items that have a label, or those that have this one."""
        if self.labels is None or self.labels.dim() > 1:
            return self.subset(torch.arange(0))
        return self.subset((self.labels >= 0 if label is None else self.labels == label).nonzero().flatten())

    def to(self, device: torch.device, rows: Rows) -> Part:
        labels = None if self.labels is None else self.labels.to(device)
        return replace(self, rows=rows, labels=labels)


def domain_names(parts: Mapping[str, Part]) -> tuple[str, ...]:
    """Names of the parts of a data set where these are domains; () of a plain set."""
    return () if TRAIN in parts else tuple(parts)


@dataclass(frozen=True)
class Dataset:
    """A data set ready to train from, at one size.

    Attributes:
        origin: where the images come from, in words.
        shape: of an item as an architecture sees it: (C, H, W) for images, (D,) for vectors; of the first domain's.
        shapes: domain -> the shape of its items, where they differ in channels or size.
        modality: what an item is, fitted on the training part.
        parts: what is trained on: "train" -> the items of a set without domains; else one `Part` a domain.
        held_out: what is kept for scoring: "test" of a plain set, else domains, such as "testA" and "testB".
        paired: True when row k of each part belongs together.
        sizes: domain -> (height, width), in proportion, where each was kept in its own; else empty.
        label_kind, label_names, label_scale: "attributes" or "numbers", their columns, and each column's mean and
            spread; empty for classes and without labels.
        skipped: images left out because they are smaller than half of the size.
    """

    name: str
    origin: str
    fingerprint: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    parts: Mapping[str, Part]
    held_out: Mapping[str, Part]
    rows: Rows
    modality: Modality
    skipped: int = 0
    paired: bool = False
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=dict)
    label_kind: str = ""
    label_names: tuple[str, ...] = ()
    label_scale: tuple[tuple[float, float], ...] = ()

    @property
    def fit(self) -> str:
        """How images of another shape were made to fit."""
        return store.info(self.name).fit

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the parts where these are domains; () of a plain set."""
        return domain_names(self.parts)

    @property
    def class_shares(self) -> tuple[float, ...]:
        """How often each class is among what is trained on, in sum 1; () where all are alike, and without classes."""
        labels = [part.labels for part in self.parts.values() if part.labels is not None]
        if not self.classes or not labels:
            return ()
        known = torch.cat([each[each >= 0] for each in labels])
        counts = torch.bincount(known, minlength=len(self.classes))
        if not len(known) or (counts == counts[0]).all():
            return ()
        return tuple((counts.double() / counts.sum()).tolist())

    @property
    def on_the_fly(self) -> bool:
        """True when images are decoded as they are gathered: the set is too large to unpack."""
        return any(isinstance(rows, Decoded) for rows in self.packs)

    @property
    def packs(self) -> tuple[Rows, ...]:
        """All the rows there are: one for all parts, or one for each size of the domains."""
        parts = (*self.parts.values(), *self.held_out.values())
        return tuple({id(rows): rows for rows in (self.rows, *(part.rows for part in parts))}.values())

    @property
    def items(self) -> int:
        """How many are trained on, in all domains together."""
        return sum(len(part) for part in self.parts.values())

    @property
    def training(self) -> Part:
        """What a plain set is trained on."""
        return self.parts[TRAIN]

    @property
    def test(self) -> Part | None:
        """A plain set's own test part, which no model saw; None where it has none worth scoring with."""
        part = self.held_out.get(TEST)
        return part if part is not None and len(part) > 1 else None

    def split(self) -> tuple[Part, Part]:
        """Items of a plain set to judge with: those to learn from or look among, and those held out from that.

        The same ones each time: the set's own test part, 5,000 of it at the most; without one 5,000, or a sixth where
        there are fewer than 30,000, and then a model trained on the data set has seen both.
        """
        part = self.training
        if self.test is not None:
            order = torch.randperm(len(self.test), generator=stream("held out"))
            return part, self.test.subset(order[:JUDGED].sort().values)
        held = min(JUDGED, len(part) // 6)
        order = torch.randperm(len(part), generator=stream("held out"))
        return part.subset(order[held:].sort().values), part.subset(order[:held].sort().values)

    def to(self, device: torch.device | str) -> Dataset:
        """The same data, gathered onto `device`."""
        device = torch.empty(0, device=device).device  # "cuda" is "cuda:0" from here on
        rows = {id(each): each.to(device) for each in self.packs}
        parts = {name: part.to(device, rows[id(part.rows)]) for name, part in self.parts.items()}
        held_out = {name: part.to(device, rows[id(part.rows)]) for name, part in self.held_out.items()}
        return replace(self, rows=rows[id(self.rows)], parts=parts, held_out=held_out)


def prepare(
    name: str,
    *,
    resolution: tuple[int, int] | None = None,
    channels: int | None = None,
    load_size: tuple[int, int] | None = None,
    keep: str | Sequence[str] | None = None,
    domains: Sequence[str] = (),
    own_sizes: bool = False,
    skip_small: bool = False,
    sides: Sequence[int] = (),
    report: Report | None = None,
    unpack: bool | None = None,
    state: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a data set ready to train from; its pack is made now when there is none of that size.

    Args:
        name: with or without options, as in ``anime:images=500,seed=1``.
        resolution: (height, width); None takes the data's own.
        own_sizes: where the domains differ in size, `resolution` and `load_size` are the first one's, and the others
            are in proportion; False makes all of one size.
        channels: 1, 3 or 4; None takes 1 when all images (of a domain) are grey, else 3.
        load_size: (height, width) to pack at, for an architecture that crops from larger pictures.
        keep: use only the images with this label, or one of these.
        skip_small: leave out images of less than half the size, even if these are more than 5 %.
        sides: resolutions to advise where the images are too small, each with a load size in proportion to the present
            ones; () for any.
        domains: those that take part, in this order; () for all. Of data without domains, classes.
        state: what the modality knows already, of a model's header; None has it fitted on the part to train on.
        unpack: False decodes images on the fly; None does so for files whose pack would fill half of the free disk.
    Raises:
        UsageError: the name, a label or the size does not fit the data, or there is too little disk.
        GanzooError: the source has vanished or changed, or cannot be read.
    """
    report = report or silent
    source, origin = store.resolve(name)
    traits = traits_of(source)

    # Which items, and the size, or sizes, to pack them at.
    members = domains_of(source, name, domains)
    own = traits.domain_sizes if own_sizes else {}
    own = {domain: own[domain] for domain in trained_on(members) if domain in own}
    form = _format(source, name, load_size or resolution or next(iter(own.values()), None), channels)
    margin = load_size[0] / max(resolution) if load_size and resolution else 1.0
    jobs = _jobs(source, name, form, members if own else {}, own, skip_small, sides, margin)

    # Their rows, packed now where they are not yet.
    if hasattr(source, "check_unchanged"):
        source.check_unchanged(needed=not all(job.made for job in jobs))
    packs = [(job, _rows(job, source, unpack, report)) for job in jobs]
    items = jobs[0].rows if len(jobs) == 1 else sorted({item for job in jobs for item in job.rows})

    # The parts, with their labels; classes that are taken for domains are labels no more.
    labels, scale = _labels(source, traits, items)
    as_domains = bool(members) and not source.domains
    mixed = {} if channels is not None else traits.domain_channels
    mixed = {domain: min(each, form.channels) for domain, each in mixed.items()}
    parts = _parts(source, traits, name, items, packs, keep, None if as_domains else labels, mixed, members)
    trained = {domain: parts[domain] for domain in trained_on(parts)}

    # As an architecture sees them.
    modality = _modality(source, traits, [*trained.values()], state)
    trained = {domain: part.encoded(modality) for domain, part in trained.items()}
    first = next(iter(trained.values()))
    return Dataset(
        name=name,
        origin=origin,
        fingerprint=source.fingerprint,
        shape=_encoded_shape(first, modality),
        shapes={domain: _encoded_shape(part, modality) for domain, part in trained.items() if mixed or own},
        classes=() if as_domains else source.classes,
        parts=trained,
        held_out={domain: part.encoded(modality) for domain, part in parts.items() if domain not in trained},
        rows=first.rows,
        modality=modality,
        skipped=len(source) - len(items),
        paired=bool(traits.paired),
        sizes=own,
        label_kind=traits.label_kind,
        label_names=tuple(traits.label_names),
        label_scale=scale,
    )


def _modality(source: Source, traits: Traits, training: Sequence[Part], state: Mapping[str, Any] | None) -> Modality:
    """The source's modality, fitted on what is trained on unless its `state` is known."""
    kind = modality_of(source)
    if state is None:
        cls, rows = modality_class(kind), np.empty(0)
        if cls.fitted:
            each = FITTED // len(training)
            rows = torch.cat([part.raw(spread(len(part), each)) for part in training]).numpy()
        state = cls.fit(rows, dict(traits.details))
    return make_modality(kind, state)


def spread(length: int, count: int) -> Tensor:
    """At most `count` of `length` indices, int64, evenly spread."""
    return torch.arange(length) if length <= count else torch.arange(count) * length // count


def _encoded_shape(part: Part, modality: Modality) -> tuple[int, ...]:
    return tuple(modality.encode(part.raw(torch.arange(1))).shape[1:])


def _rows(job: pack.Job, source: Source, unpack: bool | None, report: Report) -> Rows:
    host = torch.device("cpu")
    if unpack is None:
        unpack = job.made or job.bytes <= job.free / 2 or getattr(source, "in_memory", True)
    if not unpack:
        return Decoded(job, source, host)
    if not job.made:
        pack.make(job, source, report)
    rows = pack.load(job)
    return Packed(torch.from_numpy(rows), host, pack.reading_ahead(rows))


def _format(source: Source, name: str, size: tuple[int, int] | None, channels: int | None) -> Format:
    """What to pack: the size and channels asked, else the data's own."""
    own = holdings(source)
    if own.channels is None:
        first = np.asarray(source.read(0)).shape
        return Format(0, 0, first[0]) if len(first) == 1 else Format(0, 0, 0, shape=first)
    size = size or (own.sizes[0] if len(own.sizes) == 1 else None)
    if size is None:
        raise UsageError(f"The images of {name} have different sizes; choose one, such as --resolution 64.")
    if channels not in (None, 1, 3, 4):
        raise UsageError(f"--channels {channels} is not possible; images have 1 (grey), 3 (colour) or 4 (with alpha).")
    return Format(*size, channels or min(3, own.channels), own.fit)


def _jobs(
    source: Source,
    name: str,
    form: Format,
    members: Mapping[str, Sequence[int]],
    own: Sizes,
    skip_small: bool,
    sides: Sequence[int],
    margin: float,
) -> list[pack.Job]:
    """The pack to be made of all items, or one for each size of the domains.

    Args:
        form: of the first domain's items.
        members: items of the domains that keep their `own` sizes; {} where all are made of one.
        margin: by how much the size is larger than the resolution that is cut from it.
    """
    by_size: dict[tuple[int, int], list[str]] = {}
    for domain in members:
        by_size.setdefault(size_in(domain, (form.height, form.width), own), []).append(domain)
    jobs = []
    for (height, width), domains in by_size.items() or [((form.height, form.width), [])]:
        each = replace(form, height=height, width=width)
        there = sorted({item for domain in domains for item in members[domain]}) or range(len(source))
        items = _large_enough(source, name, each, there, skip_small, sides, margin)
        jobs.append(pack.Job(name, source.fingerprint, items, each, tuple(domains)))
    return jobs


def _large_enough(
    source: Source,
    name: str,
    form: Format,
    items: Sequence[int],
    skip_small: bool = False,
    sides: Sequence[int] = (),
    margin: float = 1.0,
) -> Sequence[int]:
    """Those of the items that are at least half as high and wide as what is asked.

    Raises:
        UsageError: more than 5 % are smaller, and these are not to be skipped, or nothing would be left.
    """
    if not form.height:
        return items
    sizes = holdings(source, (form.height, form.width), items[0]).sizes
    sizes = sizes if len(sizes) == 1 else [sizes[item] for item in items]
    good = [2 * height >= form.height and 2 * width >= form.width for height, width in sizes]
    if all(good):
        return items
    small = [size for size, is_good in zip(sizes, good, strict=True) if not is_good]
    if (len(small) > MAX_BAD * len(sizes) and not skip_small) or not any(good):
        height, width = small[0]
        enough = 2 * min(min(size) for size in sizes)
        fitting = [side for side in sides if side <= enough]
        side = max(fitting) if fitting else math.floor(enough / margin)
        advice = f"choose --resolution {side}" + " or less" * (not fitting and margin == 1)
        advice += f" --load-size {min(round(side * margin), enough)}" * (margin != 1)
        advice = "" if sides and not fitting else advice
        if any(good):
            advice += f"{', or ' * bool(advice)}leave them out with --skip-small"
        share = "" if len(sizes) == 1 else f"{len(small)} of {len(sizes)} "
        raise UsageError(
            f"{share or 'The '}images of {name} are too small: {height}x{width} where {form.height}x{form.width} is "
            f"asked; {advice or 'choose another architecture, for small images'}."
        )
    return [item for item, is_good in zip(items, good, strict=True) if is_good]


def _parts(
    source: Source,
    traits: Traits,
    name: str,
    items: Sequence[int],
    packs: Sequence[tuple[pack.Job, Rows]],
    keep: str | Sequence[str] | None,
    labels: Tensor | None,
    channels: Mapping[str, int],
    members: Mapping[str, Sequence[int]],
) -> dict[str, Part]:
    kept_apart = {*traits.held_out}
    held_out = [item for item in items if item in kept_apart]
    domains: dict[str, Sequence[int]] = dict(members) or {TRAIN: [item for item in items if item not in kept_apart]}
    if held_out and not members:
        domains[HELD_OUT] = held_out
    place = {item: place for place, item in enumerate(items)}
    if traits.paired:
        domains = dict(whole(domains, place))
    wanted = _wanted(source, name, keep)
    parts = {}
    for domain, own_items in domains.items():
        job, rows = next(pair for pair in packs if domain in pair[0].domains or not pair[0].domains)
        row = place if job.rows is items else {item: row for row, item in enumerate(job.rows)}
        kept = [item for item in own_items if item in row]
        index, own = torch.tensor([row[item] for item in kept], dtype=torch.int64), None
        if labels is not None:
            own = labels[torch.tensor([place[item] for item in kept], dtype=torch.int64)]
        if wanted is not None and own is not None:
            chosen = torch.isin(own, wanted)
            index, own = index[chosen], own[chosen]
        if len(index) < 2 and not domain.startswith(HELD_OUT):
            what = f"The domain {domain} of {name}" if members else f"{name}{f' with the label {keep}' if keep else ''}"
            raise UsageError(f"{what} has {'one item' if len(index) else 'no items'}; training needs two or more.")
        parts[domain] = Part(rows, index, own, channels=channels.get(domain.removeprefix(HELD_OUT)))
    return parts


def _labels(
    source: Source, traits: Traits, items: Sequence[int]
) -> tuple[Tensor | None, tuple[tuple[float, float], ...]]:
    """Labels as a `Part` has them, and the mean and spread of each column of attributes or numbers."""
    if source.classes:
        return torch.tensor([source.label(item) for item in items], dtype=torch.int64), ()
    if not traits.label_names:
        return None, ()
    values = torch.tensor([source.label(item) for item in items], dtype=torch.float64)
    mean, spread = values.mean(0), values.std(0, correction=0)
    scale = tuple(zip(mean.tolist(), spread.where(spread > 0, 1.0).tolist(), strict=True))
    if traits.label_kind == "numbers":
        values = (values - mean) / torch.tensor([each for _, each in scale])
    return values.float(), scale


def _wanted(source: Source, name: str, keep: str | Sequence[str] | None) -> Tensor | None:
    if keep is None:
        return None
    words = [keep] if isinstance(keep, str) else list(keep)
    if not source.classes:
        raise UsageError(f"The data set {name} has no labels, so none can be chosen with --class.")
    for word in words:
        if word not in source.classes:
            raise UsageError(f"The data set {name} has no label {word!r}; {suggest(word, source.classes)}")
    return torch.tensor([source.classes.index(word) for word in words])
