"""Readers: what a path leads to, seen as items. `open_reader` finds out which kind of thing it is."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from PIL import Image

from ganzoo.catalogue.catalogue import entries
from ganzoo.catalogue.modalities import modality_card, modality_class
from ganzoo.contract.options import build, parse_spec
from ganzoo.data import arrays, label_files, labels, pairs
from ganzoo.data.containers import DAMAGE, Container, Folder, Tar, Zip, file_signature, unpacker
from ganzoo.data.images import PLAIN, Reading, Survey, Unreadable, count_pages, decode, look, survey
from ganzoo.data.kinds import (
    DRAWINGS,
    SUFFIXES,
    has_suffix,
    is_hidden,
    is_image,
    is_text,
    is_text_name,
    kind_of,
    looks_like_picture,
    part_of,
)
from ganzoo.data.layout import Layout, layout_of
from ganzoo.data.levels import Span
from ganzoo.data.shards import Shards, holds_shards, labels_beside
from ganzoo.data.source import HELD_OUT, Item, as_image, is_vector
from ganzoo.errors import GanzooError, UsageError, printable

LabelsFrom = label_files.LabelsFile | str | None  # "folders", "none", "pairs"; None for what is found
_UNLABELLED = ("none", "pairs")
_TOLD = (".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz", ".tbz2", ".txz", ".npz", ".npy")  # by their first bytes
_LISTS = (".csv", ".tsv", ".json", ".jsonl")  # may be labels
_TOLD_BY_NAME = re.compile(r"(label|attr)[^/]*\.(csv|tsv|txt|json|jsonl)$")
_ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar", ".zst", ".npz", ".npy"}
_TABLES = {".parquet", ".arrow"}  # which may hold pictures
_STORES = {
    ".mdb": "LMDB", ".lmdb": "LMDB", ".h5": "HDF5", ".hdf5": "HDF5", ".mat": "MATLAB", ".tfrecord": "TensorFlow",
    ".pkl": "pickled", ".pt": "torch", ".pth": "torch", ".pdf": "PDF", ".mp4": "video",
    ".avi": "video", ".mov": "video", ".mkv": "video", ".webm": "video",
}  # fmt: skip
_SPREADSHEETS = {".xlsx", ".xlsm", ".xls", ".ods"}
_KINDS = "a folder of images, a zip or tar file, idx files, or an npz or npy file"


class Reader:
    """Items as they are stored.

    Attributes:
        names: one an item, for messages and for labels files.
        layout: which are held out, their labels and domains; found out when it is first asked for, which may fail.
        in_memory: True when all items were read on opening, so that a second process would read them all again.
        readings: how pictures are read, for each source; the levels are known once they are settled.
    """

    names: Sequence[str]
    in_memory: bool = False
    _reading = PLAIN

    @cached_property
    def layout(self) -> Layout:
        raise NotImplementedError

    @property
    def readings(self) -> Sequence[Reading]:
        return (self._reading,)

    @property
    def labels(self) -> labels.Labels:
        return self.layout.labels

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """Domain name -> items; {} where there are none."""
        return self.layout.domains

    def data(self, index: int) -> bytes:
        """The item's bytes; Unreadable when they cannot be had."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Item:
        """The item in its bytes; Unreadable when it is damaged."""
        raise NotImplementedError

    def look(self, data: bytes) -> Survey | None:
        """What the picture in these bytes is, before the levels are settled; None of a vector; else as `decode`."""
        raise NotImplementedError

    def settle_levels(self, spans: Mapping[int, Span]) -> None:
        """Chooses levels that were not given, of the values stored in the items that can be used."""

    def signature(self) -> str:
        """Changes when the source does; quick to find."""
        raise NotImplementedError


class Files(Reader):
    """Image files in a folder or an archive.

    Attributes:
        odd: files that are no items although they might be meant as such, and why.
        aside: how many files of other kinds there are beside the items, by kind.
    """

    odd: Mapping[str, str]

    def __init__(
        self,
        container: Container,
        where: str,
        labels_file: LabelsFrom = None,
        suffixes: Sequence[str] = SUFFIXES,
        reading: Reading = PLAIN,
        parts: str = "auto",
    ) -> None:
        """`labels_file` may also be "folders", "none" or "pairs"; `parts` as `ganzoo.data.layout` has it."""
        self._container, self._reading = container, reading
        self._where, self._labels_from, self._parts = where, labels_file, parts
        self.aside: Counter[str] = Counter()
        files = self._choose(suffixes)
        self._pages = [(place, page) for place, name in enumerate(files) for page in range(self._count(name))]
        self._files = files
        self.names = [files[place] if page == 0 else f"{files[place]}#{page + 1}" for place, page in self._pages]

    @cached_property
    def layout(self) -> Layout:
        given = self._labels_from
        of_file = None if isinstance(given, str) else self._labels_file()
        layout = self._of_folders(given if isinstance(given, str) else "auto" if of_file is None else "none")
        if of_file is None:
            if given is None:
                self._point_at_lists(layout)
            return layout
        own = of_file({self._pages[index][0] for index in {*layout.held_out, *layout.left_out}})
        own.of = [own.of[place] for place, _ in self._pages] if own.of else []
        layout.labels = own
        layout.notes += own.notes
        places = [place for place, _ in self._pages]
        layout.held_out |= {index for index, place in enumerate(places) if place in own.held_out}
        silent = [index for index, place in enumerate(places) if place in own.missing and index not in layout.left_out]
        layout.left_out |= dict.fromkeys(silent, "is held out and has no label")
        if silent:
            layout.notes.append(f"{len(silent):,} images that are held out have no label, and are left out.")
        return layout

    def _labels_file(self) -> Callable[[Collection[int]], labels.Labels] | None:
        """What reads the labels file of files of which some are held out; None where there is none."""
        given, files, container = self._labels_from, self._files, self._container
        if isinstance(given, label_files.LabelsFile):
            return lambda apart: label_files.from_file(given, files, apart)
        lists = sorted((name for name in container.names if Path(name).name == "dataset.json"), key=len)
        text: bytes | str = container.read(lists[0]) if lists else ""
        where = f"{lists[0]} in {self._where}" if lists else f"What is beside the images of {self._where}"
        if not lists and isinstance(container, (Tar, Shards)):
            text = labels_beside(files, container.names, container.read)
            self.aside.pop(".cls" if text else "", None)
        return (lambda apart: label_files.from_json(text, files, where, (), apart)) if text or lists else None

    def _point_at_lists(self, layout: Layout) -> None:
        """Says which file beside the pictures may have labels, where none are taken."""
        names = [name for name in self._container.names if not is_hidden(name)]
        lists = [name for name in names if name.endswith(_LISTS)]
        told = [name for name in names if _TOLD_BY_NAME.search(name.lower())]
        beside = sorted(
            told or (lists if len(lists) <= 3 else []), key=lambda name: "test" in map(part_of, name.split("/"))
        )
        if beside and not (layout.labels.of or layout.domains):
            file = printable(str(Path(self._where, beside[0])))
            packed = "" if isinstance(self._container, Folder) else "unpack it and "
            typed = shlex.quote(Path(file).name if packed else file)
            layout.notes.append(f"No labels are taken. Where {file} has them, {packed}type: --labels {typed}")

    def _of_folders(self, classes: str) -> Layout:
        layout = layout_of(self.names, self._container.folders, self._parts, classes)
        if unsure := getattr(self._container, "unsure", ""):
            layout.notes.append(
                f"The names in {printable(self._where)} do not say their encoding, and are read as such: "
                f"{printable(unsure)}. Where that is wrong, name it, such as --names shift_jis, gbk or cp949."
            )
        return layout

    def _choose(self, suffixes: Sequence[str]) -> list[str]:
        """The files that are read: those of these endings, and pictures of any. Others are counted, as what they are.

        Binary files of which there are several count as items that cannot be read; text and single files do not.
        """
        files, odd = [], {name: why for name, why in self._container.lost.items() if not is_hidden(name)}
        binary: dict[str, list[str]] = {}
        for name in self._container.names:
            if has_suffix(name, suffixes):
                files.append(name)
            elif not is_hidden(name):
                head = self._container.head(name)
                if suffixes is SUFFIXES and looks_like_picture(head):
                    files.append(name)
                elif is_text_name(name) or (is_text(head) and not has_suffix(name, DRAWINGS)):
                    self.aside[kind_of(name)] += 1
                else:
                    binary.setdefault(kind_of(name), []).append(name)
        for kind, names in binary.items():
            if len(names) > 1:
                odd.update((name, "is of a kind that cannot be read") for name in names)
            else:
                self.aside[kind] += 1
        self.odd = odd
        return files

    def _count(self, name: str) -> int:
        """The pages of a file that are read, found out on first opening."""
        if self._reading.pages == "first":
            return 1
        if self._reading.page_counts is not None:
            return self._reading.page_counts.get(name, 1)
        try:
            return count_pages(self._container.read(name), self._reading.max_pixels)
        except Unreadable:
            return 1

    def data(self, index: int) -> bytes:
        place, page = self._pages[index]
        return page.to_bytes(4, "big") * (self._reading.pages == "all") + self._container.read(self._files[place])

    @property
    def readings(self) -> Sequence[Reading]:
        if self._reading.pages == "first":
            return (self._reading,)
        counts = Counter(place for place, _ in self._pages)
        several = {self._files[place]: count for place, count in counts.items() if count > 1}
        return (replace(self._reading, page_counts=several),)

    def decode(self, data: bytes) -> Item:
        return decode(*self._at(data))

    def look(self, data: bytes) -> Survey | None:
        return survey(*self._at(data))

    def _at(self, data: bytes) -> tuple[bytes, Reading, int]:
        """The file's bytes, how to read them, and the page."""
        if self._reading.pages == "first":
            return data, self._reading, 0
        return data[4:], self._reading, int.from_bytes(data[:4], "big")

    def settle_levels(self, spans: Mapping[int, Span]) -> None:
        self._reading = self._reading.settled(spans.values())

    def signature(self) -> str:
        return self._container.signature()


class Arrays(Reader):
    """Images [N, H, W, C], C 1, 3 or 4, or float32 vectors [N, D], in memory."""

    in_memory = True

    def __init__(
        self,
        images: arrays.Array,
        values: arrays.Array | None,
        files: Sequence[Path],
        reading: Reading = PLAIN,
        span: Span | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        """`span`: of the values that pixels were made of; `classes`: names of the labels 0, 1, …"""
        if values is not None and len(values) != len(images):
            raise UsageError(f"{files[0]} has {len(images)} images and {len(values)} labels; give those that match.")
        self._images, self._files, self._reading, self._span = images, files, reading, span
        self._values, self._classes = values, classes
        self.names = [str(index) for index in range(len(images))]

    @cached_property
    def layout(self) -> Layout:
        layout = Layout(list(self.names))
        if self._values is not None:
            layout.labels = label_files.from_array(self._values.tolist(), str(self._files[-1]), self._classes)
            layout.notes += layout.labels.notes
        return layout

    def data(self, index: int) -> bytes:
        data: bytes = self._images[index].tobytes()
        return data

    def decode(self, data: bytes) -> Item:
        if self._images.ndim == 2:
            return np.frombuffer(data, np.float32)
        shape = self._images.shape[1:]
        pixels = np.frombuffer(data, np.uint8).reshape(shape)
        return Image.fromarray(pixels[..., 0] if shape[2] == 1 else pixels)

    def look(self, data: bytes) -> Survey | None:
        item = self.decode(data)
        if is_vector(item):
            return None
        seen = look(as_image(item))
        return seen if self._span is None else replace(seen, span=self._span)

    def signature(self) -> str:
        return file_signature(*self._files)


class ItemFiles(Files):
    """Files of one item each that are no images, such as sounds; they are read as their modality says.

    Attributes:
        details: what it knows of all of them; None until `settle` has found out.
    """

    def __init__(
        self,
        container: Container,
        where: str,
        labels_file: LabelsFrom,
        modality: str,
        details: Mapping[str, Any] | None,
        parts: str = "auto",
    ) -> None:
        name, given = parse_spec(modality)
        super().__init__(container, where, labels_file, modality_card(name).suffixes, parts=parts)
        self.modality, self.details, self._class = modality, details, modality_class(name)
        self._options: Any = build(self._class.Options, given, f"the modality {name}")

    def data(self, index: int) -> bytes:
        return self._container.read(self.names[index])

    def decode(self, data: bytes) -> Item:
        item, _ = self._class.read(data)
        return item if self.details is None else self._class.cut(item, self.details)

    def survey(self, data: bytes) -> tuple[tuple[int, ...], dict[str, Any], str]:
        """The shape of the item in a file, what the file says of it, and what `Survey.empty` is."""
        item, said = self._class.read(data)
        return item.shape, said, "of one value throughout" if item.size and item.min() == item.max() else ""

    def settle(self, seen: Sequence[tuple[tuple[int, ...], Mapping[str, Any]]]) -> None:
        self.details = self._class.settle(seen, self._options)


class Rows(Arrays):
    """The items of one file of many, such as a table's rows, float32 [N, D], in memory."""

    def __init__(self, file: Path, modality: str) -> None:
        name, given = parse_spec(modality)
        cls = modality_class(name)
        rows, self.details = cls.read_all(file, build(cls.Options, given, f"the modality {name}"))
        super().__init__(rows, None, [file])
        self.modality = modality


class Joined(Reader):
    """Several readers as domains, A, B, … unless they have names."""

    def __init__(self, readers: Sequence[Reader], domains: Sequence[str] = ()) -> None:
        self.readers = readers
        self._places = [(which, index) for which, reader in enumerate(readers) for index in range(len(reader.names))]
        domains = domains or ascii_uppercase[: len(readers)]
        pairs = zip(domains, readers, strict=True)
        self.names = [f"{domain}/{name}" for domain, reader in pairs for name in reader.names]
        self._domains = domains
        self.in_memory = any(reader.in_memory for reader in readers)

    @cached_property
    def layout(self) -> Layout:
        whole, start = Layout([]), 0
        members: dict[str, list[int]] = {domain: [] for domain in self._domains}
        for domain, reader in zip(self._domains, self.readers, strict=True):
            own = reader.layout
            whole.names += [f"{domain}/{name}" for name in own.names]
            whole.left_out |= {start + index: reason for index, reason in own.left_out.items()}
            for index in (index for index in range(len(own.names)) if index not in own.left_out):
                side = f"{HELD_OUT}{domain}" if index in own.held_out else domain
                members.setdefault(side, []).append(start + index)
            start += len(own.names)
            whole.notes += [f"{domain}: {sentence}" for sentence in own.notes]
        whole.domains = members
        return whole

    @property
    def by_source(self) -> list[list[int]]:
        """The items of each reader."""
        items: list[list[int]] = [[] for _ in self.readers]
        for index, (which, _) in enumerate(self._places):
            items[which].append(index)
        return items

    def data(self, index: int) -> bytes:
        which, place = self._places[index]
        return bytes([which]) + self.readers[which].data(place)

    @property
    def readings(self) -> Sequence[Reading]:
        return [reading for reader in self.readers for reading in reader.readings]

    def decode(self, data: bytes) -> Item:
        return self.readers[data[0]].decode(data[1:])

    def look(self, data: bytes) -> Survey | None:
        return self.readers[data[0]].look(data[1:])

    def settle_levels(self, spans: Mapping[int, Span]) -> None:
        """Each source has its own: photographs may be translated to 12 bits of a microscope."""
        for which, reader in enumerate(self.readers):
            reader.settle_levels({self._places[i][1]: span for i, span in spans.items() if self._places[i][0] == which})

    def signature(self) -> str:
        return " ".join(reader.signature() for reader in self.readers)


class Halves(Reader):
    """Pictures A|B side by side: the left halves as domain A, the right ones as B."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self._count = reader, len(reader.names)
        self.names = [f"{domain}/{name}" for domain in "AB" for name in reader.names]
        self.in_memory = reader.in_memory

    @cached_property
    def layout(self) -> Layout:
        own, count = self.reader.layout, self._count
        left_out = {index + side * count: why for index, why in own.left_out.items() for side in (0, 1)}
        names = [f"{domain}/{name}" for domain in "AB" for name in own.names]
        return Layout(names, domains=pairs.halves(count, own), left_out=left_out, notes=own.notes)

    def data(self, index: int) -> bytes:
        side, place = divmod(index, self._count)
        return bytes([side]) + self.reader.data(place)

    def decode(self, data: bytes) -> Item:
        item = self.reader.decode(data[1:])
        if is_vector(item):
            raise Unreadable("is no picture that could be halved")
        image = as_image(item)
        half = image.width // 2
        if not half:
            raise Unreadable("is too narrow to be two pictures")
        left = (image.width - half) * data[0]
        return image.crop((left, 0, left + half, image.height))

    @property
    def readings(self) -> Sequence[Reading]:
        return self.reader.readings

    def look(self, data: bytes) -> Survey | None:
        seen = self.reader.look(data[1:])
        if seen is None:
            raise Unreadable("is no picture that could be halved")
        height, width = seen.size
        if width < 2:
            raise Unreadable("is too narrow to be two pictures")
        return replace(seen, size=(height, width // 2))

    def settle_levels(self, spans: Mapping[int, Span]) -> None:
        self.reader.settle_levels({i: span for i, span in spans.items() if i < self._count})

    def signature(self) -> str:
        return self.reader.signature()


def open_reader(
    paths: Sequence[Path],
    labels_file: LabelsFrom = None,
    modality: str = "",
    details: Mapping[str, Any] | None = None,
    halves: bool = False,
    readings: Sequence[Reading] = (PLAIN,),
    domain_names: Sequence[str] = (),
    parts: str = "auto",
) -> Reader:
    """A reader of what lies at one path, or of several paths as domains, A, B, … or as named.

    Args:
        labels_file: a file of labels, "folders", "none", "pairs" for none, or None for what is found.
        parts: folders to train on and to hold out; see `ganzoo.data.layout`.
        readings: how pictures are read, one for all sources or one for each.

    Raises:
        UsageError: there is nothing, or nothing that ganzoo can read.
        GanzooError: it is damaged.
    """
    if (halves or len(paths) > 1) and labels_file is None:
        labels_file = "none"
    if halves and (len(paths) > 1 or labels_file not in _UNLABELLED):
        raise UsageError("--pairs halves takes one source, of pictures A|B side by side, and no labels.")
    if len(paths) == 1:
        reader = _open(paths[0], labels_file, modality, details, readings[0], parts)
        return Halves(reader) if halves else reader
    if labels_file not in _UNLABELLED:
        raise UsageError("Several sources are domains, which have no labels; leave --labels away.")
    each = readings if len(readings) == len(paths) else [readings[0]] * len(paths)
    joined = [_open(path, labels_file, reading=reading, parts=parts) for path, reading in zip(paths, each, strict=True)]
    return Joined(joined, domain_names)


def _open(
    path: Path,
    labels_file: LabelsFrom,
    modality: str = "",
    details: Mapping[str, Any] | None = None,
    reading: Reading = PLAIN,
    parts: str = "auto",
) -> Reader:
    if not os.path.exists(path):  # unlike Path.exists, False for what may not be looked at
        raise UsageError(f"There is nothing at {path} that can be read; give {_KINDS}.")
    if not path.is_dir() and not path.is_file():  # a pipe would be waited for
        raise UsageError(f"{path} is neither a file nor a folder; give {_KINDS}.")
    kind = "folder" if path.is_dir() else _kind(path)
    if reading.names and kind != "zip":
        raise UsageError(f"--names says how names in a zip are written, and {path} is none; leave it out.")
    images = [path] if kind == "idx" else []
    if kind in ("folder", "zip", "tar"):
        container = _container(path, kind, reading)
        pictures = any(map(is_image, container.names))
        images = arrays.idx_in(path) if type(container) is Folder and not pictures else []
        modality = modality or ("" if images or pictures else _modality_of(container.names, "suffixes"))
        if modality not in ("", "image"):
            suffixes = modality_card(parse_spec(modality)[0]).suffixes
            return _not_empty(ItemFiles(container, str(path), labels_file, modality, details, parts), path, suffixes)
        if not images:
            return _not_empty(Files(container, str(path), labels_file, reading=reading, parts=parts), path)

    # A file of many items.
    if parts not in ("auto", "none"):
        raise UsageError(f"--parts names folders of files, and {path} has none; leave it out.")
    if labels_file not in (None, *_UNLABELLED):
        raise UsageError(f"A labels file goes with image files, and {path} has none; leave --labels away.")
    if images:
        return _not_empty(_of_idx(images, labels_file is None, reading), path)
    if kind == "array":
        return _not_empty(_of_npz(path, labels_file is None, parts, reading), path)
    modality = modality or _modality_of([path.name], "collections")
    if modality and path.suffix.lower() in modality_card(parse_spec(modality)[0]).collections:
        return _not_empty(Rows(path, modality), path)
    packed = "unpack it, or " * (path.suffix.lower() in _ARCHIVES)
    what = "is one picture, and no data set" if is_image(path.name) else "is of no kind that ganzoo knows"
    raise UsageError(f"{path} {what}{_unread([path.suffix.lower()], path)}; {packed}give {_KINDS}.")


def _container(path: Path, kind: str, reading: Reading) -> Container:
    if kind == "zip":
        return Zip(path, reading.names)
    if kind == "tar":
        return Tar(path, reading.most_unpacked(path.stat().st_size))
    folder = Folder(path)
    if holds_shards(folder):
        return Shards(folder, path, lambda tar: reading.most_unpacked(tar.stat().st_size))
    return folder


def _of_idx(images: Sequence[Path], labelled: bool, reading: Reading) -> Arrays:
    """The images of the first of some idx files, with the labels beside it."""
    file, *others = images
    beside = arrays.idx_labels(file)
    pixels, reading, span = arrays.with_levels(arrays.read_idx(file, reading), reading)
    if pixels.ndim != 3:
        raise UsageError(f"{file} holds no images; give the file of images, its labels are found beside it.")
    values = arrays.read_idx(beside, reading) if beside is not None and labelled else None
    reader = Arrays(pixels[..., None], values, [file, *filter(None, [beside])], reading, span)
    if others:
        unread = ", ".join(printable(other.name) for other in others)
        reader.layout.notes.append(f"Of this folder {printable(file.name)} is read, and not {unread}.")
    return reader


def _of_npz(path: Path, labelled: bool, parts: str, reading: Reading) -> Arrays:
    """The images or vectors of an npz or npy file; arrays of a test part are held out."""
    stored = arrays.read_npz(path, reading)
    labels = stored.labels if labelled else None
    reader = Arrays(stored.items, labels, [path], stored.reading, stored.span, stored.classes)
    count, names = stored.apart
    if count and parts != "none":
        reader.layout.held_out = {*range(len(stored.items) - count, len(stored.items))}
        reader.layout.notes.append(f"Held out: {', '.join(names)}.")
    reader.layout.notes += stored.notes
    return reader


def _not_empty(reader: Reader, path: Path, suffixes: Sequence[str] = SUFFIXES) -> Reader:
    if reader.names:
        return reader
    if not isinstance(reader, Files):
        raise UsageError(f"There are no items in {path}.")
    what = "images" if suffixes is SUFFIXES else "items"
    wanted = "PNG, JPEG, TIFF and other images" if suffixes is SUFFIXES else f"{', '.join(suffixes)} files"
    kinds = reader.aside + Counter(map(kind_of, reader.odd))
    only = f", only {aside_text(kinds)}" if kinds else ""
    alone = 0 < kinds.total() <= 3 and all(_modality_of([f"x{kind}"], "collections") for kind in kinds)
    advice = _unread(kinds, path) or ("; give the file itself" if alone else "")
    if _ARCHIVES & {*kinds}:
        advice = "; unpack what is packed, or give it by itself"
    if kinds.total() > 1 and {*kinds} <= {".npy", ".npz"}:
        advice = "; put arrays of one picture each into one npz file, as [N, H, W] or [N, H, W, C]"
    raise UsageError(f"There are no {what} in {path}{only}; ganzoo looks for {wanted}{advice}.")


def _unread(kinds: Collection[str], path: Path) -> str:
    """What to do with files of these endings, which may hold pictures, after a semicolon; "" of others."""
    if _TABLES & {*kinds}:
        return f"; where its tables hold pictures give {shlex.quote(f'hf://datasets/{path.absolute()}')}"
    if _SPREADSHEETS & {*kinds, path.suffix.lower()}:
        return "; save a spreadsheet as CSV"
    store = next((_STORES[kind] for kind in kinds if kind in _STORES), "")
    return f"; {store} files are not read: write their images out as files, or into an npz file" if store else ""


def _modality_of(names: Sequence[str], field: str) -> str:
    """The modality whose card has the ending of one of these files, the first that any has, among its `suffixes` or
    `collections`; "" for none.
    """
    cards = [entry.card for entry in entries("modality")]
    return next((card.name for name in names for card in cards if has_suffix(name, getattr(card, field))), "")


def _kind(path: Path) -> str:
    """What a file is, by its first bytes: "zip", "array" (npz or npy), "tar", "idx" or ""."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as file:
                members = file.namelist()
            return "array" if members and all(name.endswith(".npy") for name in members) else "zip"
        with path.open("rb") as file:
            start = file.read(512)
        if start[:4] == b"PK\x03\x04":
            return "zip"  # one that is cut short; opening it says so
        ending = path.suffix.lower()
        if opener := unpacker(start):
            ending = path.with_suffix("").suffix.lower()
            with opener(path) as packed:
                start = packed.read(512)
    except (OSError, *DAMAGE) as error:
        raise GanzooError(f"Cannot read {path} ({error}); it may be damaged or cut short.") from error
    if start[:6] == b"\x93NUMPY":
        return "" if opener else "array"  # its size would not be known before it is unpacked
    if start[257:262] == b"ustar":
        return "tar"
    if start[:3] == b"\0\0\x08":
        return "idx"
    if ending in _TOLD:
        raise GanzooError(
            f"{path} is of no kind that ganzoo knows: it does not begin as a {ending} file does, so it is damaged "
            "or has the wrong name."
        )
    return ""


def aside_text(kinds: Mapping[str, int]) -> str:
    """Files by their kind, in words: "3 .txt, 1 without suffix"."""
    return ", ".join(
        f"{count:,} {printable(kind)}" for kind, count in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    )


def mark(digest: str) -> str:
    """Enough of an item's digest to notice that it has changed."""
    return digest.rpartition("\0")[2][:8]


def digest(name: str, data: bytes) -> str:
    """An item's part of the fingerprint."""
    return f"{name}\0{hashlib.sha256(data).hexdigest()}\n"
