"""Data sets that a user added: what the store keeps of one, and the source it makes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from ganzoo.data.images import PLAIN, Fit, Reading, Unreadable
from ganzoo.data.pairs import HALVES
from ganzoo.data.readers import Reader, digest, mark, open_reader
from ganzoo.data.source import HELD_OUT, Holdings, Item, trained_on
from ganzoo.errors import GanzooError

FORMAT = 1


@dataclass(frozen=True)
class Record:
    """What the store keeps of an added data set, as JSON. Lists are over the items that can be used, in order.

    Attributes:
        sources: where it came from, as the user may type it again: one, or two for domains A and B.
        paths: the files or folders that these are on this machine.
        signature: of the source when it was read; see `Reader.signature`.
        pairs: "halves" or "names" or a list's path, where the k-th items of all domains belong together; else "".
        sizes: (height, width) of each image; only one when all are alike, none for vectors.
        modality: what an item is, with the options it was read by: ``"signal:length=4096"``; "" for images and points.
        details: what the modality knows of all items, such as the sample rate or the columns.
        labels: position of each item's class; where `label_names` has columns, each item's row of what `label_kind`
            says, "attributes" or "numbers".
        domain_channels: domain -> channels, where they differ.
        levels: as they were asked for; those that came of it are in `readings`.
        readings: how pictures are read, one for each source; see `ganzoo.data.images.Reading`.
        held_out: items of a set without domains that are kept for scoring and not trained on.
        layout: what the folders were taken for, in sentences.
        asked: the options that said so, to add the set again.
        notes: what was said of the set when it was added: what is left out, and what will look wrong.
        marks: the beginning of each item's checksum; records of earlier versions have none.
        skip: indices of the reader's items that cannot be used; `skipped` has their names and why.
    """

    name: str
    sources: list[str]
    origin: str
    paths: list[str]
    fit: Fit
    fingerprint: str
    signature: str
    images: int
    channels: int | None
    sizes: list[list[int]]
    classes: list[str]
    labels: list[Any]
    domains: dict[str, list[int]]
    skip: list[int]
    skipped: list[list[str]] = field(default_factory=list)
    sha256: str = ""
    modality: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    shape: list[int] = field(default_factory=list)
    pairs: str = ""
    domain_channels: dict[str, int] = field(default_factory=dict)
    label_kind: str = ""
    label_names: list[str] = field(default_factory=list)
    levels: str = "auto"
    readings: list[Reading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    held_out: list[int] = field(default_factory=list)
    layout: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    format: int = FORMAT

    def fault(self) -> str:
        """What its facts contradict each other in, as the end of a sentence; "" where they do not."""
        if len(self.labels) not in (0, self.images):
            return f"it has {len(self.labels)} labels for {self.images} items"
        if len(self.sizes) not in (0, 1, self.images) or (self.channels is not None and not self.sizes):
            return f"it has {len(self.sizes)} sizes for {self.images} items"
        if any(not 0 <= item < self.images for items in self.domains.values() for item in items):
            return "a domain has items that are not there"
        if self.classes and any(type(label) is not int or label >= len(self.classes) for label in self.labels):
            return "a label is none of its classes"
        return ""


class Added:
    """The `Source` of a record. Its files are opened when first read."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.classes = tuple(record.classes)
        self.domain_channels = record.domain_channels
        self.label_kind, self.label_names = record.label_kind, tuple(record.label_names)
        self.fingerprint = record.fingerprint
        self.paired = bool(record.pairs)
        self.held_out = record.held_out
        self.domains: Mapping[str, Sequence[int]] = record.domains
        self.modality = record.modality.partition(":")[0] or ("point" if record.channels is None else "image")
        self.details = record.details

    def __len__(self) -> int:
        return self.record.images

    def label(self, index: int) -> Any:
        return self.record.labels[index] if self.record.labels else -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> Item:
        place = self._kept[index]
        content = self.reader.data(place)
        if self.record.marks and mark(digest(self.reader.names[place], content)) != self.record.marks[index]:
            raise Unreadable("is not what it was when the set was added, though its file has the same size and time")
        return self.reader.decode(content)

    @cached_property
    def domain_sizes(self) -> dict[str, tuple[int, int]]:
        """Domain -> (height, width), where each has one size and these differ; else empty."""
        sizes, domains = self.record.sizes, self.record.domains
        if len(sizes) < 2:
            return {}
        names = trained_on(domains)
        by_domain = {
            name: {(sizes[item][0], sizes[item][1]) for item in (*domains[name], *domains.get(f"{HELD_OUT}{name}", ()))}
            for name in names
        }
        alike = {size for own in by_domain.values() for size in own}
        if len(alike) < 2 or any(len(own) > 1 for own in by_domain.values()):
            return {}
        return {name: next(iter(own)) for name, own in by_domain.items()}

    def holds(self) -> Holdings:
        sizes = [(height, width) for height, width in self.record.sizes]
        return Holdings(self.record.channels, sizes, self.record.fit)

    @property
    def in_memory(self) -> bool:
        """Whether reading it is opening no files."""
        return self.reader.in_memory

    def check_unchanged(self, needed: bool) -> None:
        """Make sure that the source is what it was when it was added.

        Args:
            needed: False where there is a pack of it, so that it may have vanished.
        Raises:
            GanzooError: it has vanished or changed.
        """
        present = all(Path(path).exists() for path in self.record.paths)
        if not present and not needed:
            return
        name, source = self.record.name, " + ".join(self.record.sources)
        again = f"type: ganzoo data remove {name}; {self.again}"
        if not present:
            raise GanzooError(
                f"The source of the data set {name}, {source}, is no longer there; "
                f"put it back, or to add it again {again}"
            )
        if self.reader.signature() != self.record.signature:
            raise GanzooError(
                f"The source of the data set {name}, {source}, has changed since it was added; where its files were "
                f"only copied or touched, type: {self.again}; where their content is new, {again}"
            )

    @property
    def again(self) -> str:
        """The command that adds it once more."""
        words = [*self.record.sources, *(["--pairs", self.record.pairs] if self.paired else [])]
        words += ["--fit", self.record.fit] if self.record.fit != "crop" else []
        return f"ganzoo data add {self.record.name} {shlex.join([*words, *self.record.asked, *self._read_by()])}"

    def _read_by(self) -> list[str]:
        """The options of `ganzoo data add` that say how its pictures are read."""
        words = [f"--levels={self.record.levels}"] if self.record.levels != "auto" else []
        options = ("pages", "names", "max_pixels", "max_unpacked")
        for reading, option in product(self.record.readings[:1], options):
            if (value := getattr(reading, option)) != getattr(PLAIN, option):
                words += [f"--{option.replace('_', '-')}", str(value)]
        return words

    def to_reopen(self) -> dict[str, Any] | None:
        """How another process opens it, without what reading one item after another does not need; None where it would
        read everything first.
        """
        needless: dict[str, Any] = {"labels": [], "domains": {}, "sizes": [], "skipped": [], "held_out": []}
        return None if self.in_memory else asdict(self.record) | needless

    @cached_property
    def reader(self) -> Reader:
        record = self.record
        details = record.details if record.modality else None
        return open_reader(
            [Path(path) for path in record.paths],
            None,
            record.modality,
            details,
            record.pairs == HALVES,
            record.readings or [PLAIN],
        )

    @cached_property
    def _kept(self) -> list[int]:
        skip = set(self.record.skip)
        return [index for index in range(len(self.reader.names)) if index not in skip]
