"""The names of data sets: those a user added, kept under ganzoo's home, and those that plugins bring."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np

from ganzoo.catalogue.catalogue import Entry, entries, find, written_by
from ganzoo.catalogue.meant import DATASET, instead
from ganzoo.catalogue.schemes import scheme_of
from ganzoo.contract.options import build, parse_spec
from ganzoo.contract.report import Report, silent
from ganzoo.contract.scheme import Fetched
from ganzoo.contract.stored import from_json, parse
from ganzoo.data.added import FORMAT, Added, Record
from ganzoo.data.containers import members_file, plain_copy
from ganzoo.data.images import FITS, MAX_PIXELS, MAX_UNPACKED, Fit, Reading
from ganzoo.data.label_files import LabelsFile
from ganzoo.data.labels import Labels, listed
from ganzoo.data.levels import levels_text, parse_levels
from ganzoo.data.pairs import HALVES, paired, whole
from ganzoo.data.readers import LabelsFrom, open_reader
from ganzoo.data.scan import Scan, scan
from ganzoo.data.source import HELD_OUT, Source, holdings, modality_of, traits_of
from ganzoo.errors import GanzooError, UsageError, printable, suggest
from ganzoo.files import home, read_bytes, write_json

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Info:
    """What is known of a data set without opening it.

    Attributes:
        origin: in words, for a run's first line and a model's header; names no folder of the user's.
        channels: 1 when all images are grey, 4 when all may be transparent, else 3; None for vectors.
        height, width: in pixels; None where sizes are mixed, and for vectors.
        skipped: how many files could not be used; `skipped_files` are their names and why.
        kind: "plugin" or "user".
        modality: what an item is; `shape` that of one that is no image, as stored.
        source: where it comes from, in full; `distribution` alone, for a plugin's.
        sha256: of the file, when one was downloaded.
        paired: True when the domains' items belong together one by one.
        domain_channels, domain_sizes: domain -> channels, and (height, width), where they differ; else empty.
        label_kind, label_names: "attributes" or "numbers", and their columns; empty for classes and without labels.
        short_sides: of images of mixed sizes, how many have a shorter side of so many pixels: {"64 to 127": 12, …}.
        held_out: how many of the images, of a set without domains, are kept for scoring and not trained on.
        layout: what its folders were taken for, in sentences.
        class_counts: class -> how many are trained on and held out, of a set that was added.
        readings: how pictures are read, of each source.
        notes: what was said of it when it was added.
        problem: why the data set cannot be used, in `names`; nothing else is then known of it.
    """

    name: str
    origin: str
    images: int
    classes: tuple[str, ...]
    domains: Mapping[str, int]
    channels: int | None
    height: int | None
    width: int | None
    skipped: int
    kind: str
    source: str
    fingerprint: str
    skipped_files: tuple[str, ...] = ()
    sha256: str = ""
    fit: Fit = "crop"
    problem: str = ""
    paired: bool = False
    label_kind: str = ""
    label_names: tuple[str, ...] = ()
    domain_channels: Mapping[str, int] = field(default_factory=dict)
    domain_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    distribution: str = ""
    modality: str = "image"
    shape: tuple[int, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()
    short_sides: Mapping[str, int] = field(default_factory=dict)
    held_out: int = 0
    layout: tuple[str, ...] = ()
    class_counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[str, ...]:
        """Of each source, the stored values that become black and white; "" for those of 8 bits as they are."""
        return tuple(levels_text(each.levels) if each.levels else "" for each in self.readings)

    @property
    def trained(self) -> int:
        """How many of the images are trained on, in all domains together."""
        return self.images - self.held_out - sum(n for domain, n in self.domains.items() if domain.startswith(HELD_OUT))


def add(
    name: str,
    source: str | Path | Sequence[str | Path],
    *,
    fit: str = "crop",
    labels: str | Path | None = None,
    label_columns: Sequence[str] = (),
    parts: str = "auto",
    pairs: str | Path | None = None,
    skip_bad: bool = False,
    modality: str = "",
    levels: str = "auto",
    pages: str = "first",
    max_pixels: int = MAX_PIXELS,
    max_unpacked: int = MAX_UNPACKED,
    names: str = "",
    report: Report | None = None,
    say: Callable[[str], None] | None = None,
) -> Info:
    """Give a data set a name. Every image is read once; those that cannot be used are left out and listed.

    Args:
        source: a folder, a zip, tar, idx or npz file, an http(s) URL, ``torchvision://NAME``, ``hf://datasets/USER/NAME``;
            several of them are domains A, B, …, or have names of their own: ``summer=pictures/summer``.
        fit: how images of another shape are made to fit: "crop", "pad" or "stretch".
        labels: a CSV file (filename,label, or a column for each attribute or number), CelebA's list or StyleGAN's JSON;
            "folders" for the folders that the images lie in, "none" for no labels (a file of such a name: "./none").
        label_columns: those of its columns to take; () for all.
        parts: folders to train on and to hold out, by name: ``"train=A,test=B+C"``; "auto": folders called train and
            test, val and the like; "none".
        modality: what the items are, with options: ``"signal:length=4096"``; "" for what the files' endings say.
        pairs: how the domains' items belong together: "halves" (one source, of pictures A|B side by side), "names" (by
            file name, whatever the suffix), or a CSV file of two names a line. What has no partner is left out.
        levels: the stored values that become black and white, ``"0-4095"`` or ``"-1000:3000"``, of pictures with more
            than 8 bits; "auto": the least and largest of the whole set.
        pages: "first" or "all" of the pages or frames of each file.
        max_pixels: of one picture; larger ones are left out.
        max_unpacked: bytes that an array or a compressed tar may unpack to although it is far smaller itself.
        names: encoding of the names in a zip that do not say theirs, such as "shift_jis"; "" where they tell.
        skip_bad: go on although more than 5 % of the images cannot be used.
        say: is told what the folders are taken for, before the images are read.
    Raises:
        UsageError: the name, the source or the labels are not usable, or the name stands for something else.
        GanzooError: the source cannot be read or fetched.
    """
    report = report or silent
    _check_name(name)
    if fit not in FITS:
        raise UsageError(f"--fit {fit} is not known; {suggest(fit, FITS)}")
    if pages not in ("first", "all"):
        raise UsageError(f"--pages {pages} is not known; {suggest(pages, ('first', 'all'))}")
    _check_encoding(names)
    reading = Reading(parse_levels(levels), pages=pages, max_pixels=max_pixels, max_unpacked=max_unpacked, names=names)
    labels_from, pairing = _labels_from(labels, label_columns, pairs), "" if pairs is None else str(pairs)

    # Where the data lies, and whether the name is free for it.
    domain_names, places = _places([source] if isinstance(source, (str, Path)) else source, report)
    where, paths = " + ".join(place.address for place in places), [str(place.path) for place in places]
    old = _load(name)
    if old is not None and (
        (old.paths, old.fit, old.pairs) != (paths, fit, pairing) or (modality and old.modality != modality)
    ):
        raise _taken(old)

    # What its folders and labels stand for, said before the images are read.
    with _named_by_address(places):
        reader = open_reader(
            [*map(Path, paths)], labels_from, modality, halves=pairing == HALVES, readings=[reading],
            domain_names=domain_names, parts=parts,
        )  # fmt: skip
        layout = reader.layout
        domains = paired(pairing, reader.names, layout) if pairing else layout.domains
    if getattr(reader, "modality", ""):
        _check_no_picture_options(where, fit, levels, pages)
    for note in layout.notes:
        (say or str)(note)

    # Every image is read once; what has no partner is left out.
    try:
        scanned = scan(reader, where, report, skip_bad=skip_bad, domains=domains)
    except GanzooError:
        _discard_files(paths, copies_only=True)
        raise
    if pairing:
        domains = whole(domains, set(scanned.kept))
        _leave_out_others(scanned, domains, reader.names)

    # Under its name, all that is known of it.
    own = Labels() if pairing else layout.labels
    record = Record(
        name=name,
        sources=[
            f"{domain}={place.address}" if domain not in ascii_uppercase else place.address
            for domain, place in zip(domain_names or ("A",), places, strict=True)
        ],
        origin="added by the user: " + " + ".join(printable(place.title) for place in places),
        paths=paths,
        fit=fit,
        fingerprint=scanned.fingerprint,
        signature=reader.signature(),
        images=len(scanned.kept),
        channels=scanned.channels,
        sizes=[list(size) for size in (scanned.sizes[:1] if len({*scanned.sizes}) == 1 else scanned.sizes)],
        classes=list(own.classes),
        labels=[own.of[index] for index in scanned.kept] if own.of else [],
        domains=_renumbered(domains, scanned.kept),
        skip=sorted({*range(len(reader.names))} - {*scanned.kept}),
        skipped=[list(pair) for pair in scanned.skipped],
        modality=scanned.modality,
        details=scanned.details,
        shape=list(scanned.shape),
        sha256=" ".join(place.sha256 for place in places if place.sha256),
        pairs=pairing,
        domain_channels=scanned.domain_channels if len({*scanned.domain_channels.values()}) > 1 else {},
        label_kind=own.kind,
        label_names=list(own.columns),
        levels=levels,
        readings=scanned.readings,
        marks=scanned.marks,
        notes=scanned.notes,
        held_out=[] if domains else [place for place, index in enumerate(scanned.kept) if index in layout.held_out],
        layout=layout.notes,
        asked=_asked(parts, labels, label_columns),
    )
    lone = [name for name, (trained, _) in _class_counts(record).items() if trained < 2]
    if lone:
        classes = "classes" if len(lone) > 1 else "class"
        record.notes.append(f"There is one image or none to train on of the {classes} {listed(lone, 5)}.")
    if old is not None and old.fingerprint != record.fingerprint:
        raise _taken(old)
    write_json(_path(name), asdict(record))
    if name in (removed := _removed()):
        write_json(_removed_file(), {other: again for other, again in removed.items() if other != name})
    return _info_of_record(record)


def _check_encoding(names: str) -> None:
    try:
        b"a".decode(names or "utf-8")
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--names {names} is no encoding that is known; write one, such as shift_jis or gbk."
        ) from error


def _labels_from(labels: str | Path | None, columns: Sequence[str], pairs: str | Path | None) -> LabelsFrom:
    """Where labels come from, as `open_reader` takes it. Raises: UsageError for pairs, which have none."""
    for option, value in (("--labels", labels), ("--pairs", pairs)):
        if value is not None and not str(value):
            raise UsageError(f"{option} is empty; leave it out, or say what it should be.")
    if pairs is not None and labels not in (None, "none"):
        raise UsageError("Pairs have no labels; leave --labels out.")
    by = "pairs" if pairs is not None else None if labels is None else str(labels)
    if labels is not None and by not in ("folders", "none", "pairs"):
        return LabelsFile(Path(os.path.expanduser(labels)), tuple(columns))
    if columns:
        raise UsageError("--label-column names columns of the labels file; give that with --labels.")
    return by


def _places(sources: Sequence[str | Path], report: Report) -> tuple[tuple[str, ...], list[Fetched]]:
    """The domains that several sources are, and where they lie. Raises: UsageError for images in two of them."""
    domains, addresses = _named_sources([str(one) for one in sources])
    places = [located(address, report) for address in addresses]
    real = [os.path.realpath(place.path) for place in places]
    if len({*real}) < len(real):
        text = " + ".join(place.address for place in places)
        raise UsageError(f"{text} is one source twice; two domains are of different images.")
    for one in real:
        if outer := next((each for each in real if one.startswith(each.rstrip(os.sep) + os.sep)), ""):
            raise UsageError(f"{one} lies in {outer}, so its images would be in both domains; give folders apart.")
    return domains, places


@contextmanager
def _named_by_address(places: Sequence[Fetched]) -> Iterator[None]:
    """Errors within name a source by its address, not by where it was downloaded to, and what was is removed."""
    try:
        yield
    except GanzooError as error:
        _discard_files([str(place.path) for place in places])
        words = str(error)
        for place in places:
            words = words.replace(str(place.path), place.address)
        raise type(error)(words) from error


def _check_no_picture_options(text: str, fit: str, levels: str, pages: str) -> None:
    """Raises: UsageError for options of pictures, where `text` has none."""
    for option, word, usual in (("--fit", fit, "crop"), ("--levels", levels, "auto"), ("--pages", pages, "first")):
        if word != usual:
            raise UsageError(f"{option} says how pictures are read, and {text} has none; leave it out.")


def located(source: str, report: Report) -> Fetched:
    """Where a source lies on this machine: a path as it is; what an address stands for is downloaded once.

    Raises: UsageError when it is of a kind that nothing fetches, GanzooError when it cannot be fetched.
    """
    if "://" not in source:
        path = Path(os.path.expanduser(source)).absolute()
        return Fetched(path, str(path), path.name)
    return scheme_of(source, "data").fetch(source, "", report)


def _asked(parts: str, labels: str | Path | None, columns: Sequence[str]) -> list[str]:
    """The options of `ganzoo data add` that say what the folders and labels are, to add the set again."""
    words = ["--parts", parts] if parts != "auto" else []
    words += ["--labels", str(labels)] if labels is not None else []
    return [*words, "--label-column", ",".join(columns)] if columns else words


def _short_sides(sizes: Sequence[Sequence[int]]) -> dict[str, int]:
    """Images by their shorter side, in steps of twice the size; {} where all are of one size."""
    counts = Counter(min(size).bit_length() for size in sizes) if len(sizes) > 1 else Counter[int]()
    return {f"{1 << bits - 1} to {(1 << bits) - 1}": counts[bits] for bits in sorted(counts)}


def _class_counts(record: Record) -> dict[str, tuple[int, int]]:
    if not record.classes:
        return {}
    held_out = {*record.held_out}
    counts = [Counter(label for i, label in enumerate(record.labels) if (i in held_out) == side) for side in (0, 1)]
    return {name: (counts[0][place], counts[1][place]) for place, name in enumerate(record.classes)}


def _named_sources(sources: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The domains that several sources are, and the sources: "summer=folder" has a name of its own; () for one source.

    Raises: UsageError when there is none, only some have names, or two the same.
    """
    written = [re.fullmatch(r"([A-Za-z0-9][\w.-]*)=(.+)", one) if not Path(one).exists() else None for one in sources]
    if not all(sources) or not sources or len(sources) > len(ascii_uppercase):
        raise UsageError("Give one source, or one for each domain of a translation.")
    if len(sources) == 1:
        return (), list(sources)
    if not any(written):
        return tuple(ascii_uppercase[: len(sources)]), list(sources)
    names = tuple(match[1] for match in written if match)
    if len({*names}) < len(sources) or any(name.startswith((HELD_OUT, "train")) for name in names):
        raise UsageError(
            "Give every source a name of its own, or none, such as summer=pictures/s winter=pictures/w; names that "
            "begin with train or test are taken."
        )
    return names, [match[2] for match in written if match]


def remove(name: str) -> None:
    """Forget a name that was added, with its packs and downloads unless another name uses them.

    The source itself is left alone. How to add it again is kept, for whoever asks for the name later.

    Raises:
        UsageError: nothing was added under that name.
    """
    record = _load(name)
    if record is None:
        none = f"No data set {name!r} was added; {suggest(name, _added_names())}"
        raise UsageError(instead(DATASET, name) or none)
    write_json(_removed_file(), {**_removed(), name: Added(record).again})
    _path(name).unlink(missing_ok=True)
    others = _records()
    if all(other.fingerprint != record.fingerprint for other in others):
        from ganzoo.data.pack import discard

        discard(record.fingerprint)
    _discard_files(record.paths)


def open_source(name: str) -> Source:
    """The data set that a user means by ``anime`` or ``anime:images=500,seed=1``; what was added comes first.

    Raises:
        UsageError: there is none of that name, or it has no such options.
    """
    return resolve(name)[0]


def resolve(name: str) -> tuple[Source, str]:
    """The source called `name`, with or without options, and its origin; see `open_source`."""
    record = _added(name)
    if record is not None:
        return Added(record), record.origin
    entry, source = _of_plugin(name)
    return source, str(entry.card.origin)


def _of_plugin(name: str) -> tuple[Entry, Source]:
    """A plugin's data set, with or without options. Raises: as `open_source`."""
    bare, options = parse_spec(name)
    entry = _entry(bare)
    return entry, build(entry.load(), options, f"the data set {bare}")


def _added(name: str) -> Record | None:
    """Of the data set that was added by this name, or one in other letters' case where nothing else has the name.

    Raises: UsageError when it has options.
    """
    bare, options = parse_spec(name)
    record = _load(bare)
    if record is None and not any(bare == entry.name for entry in entries("dataset")):
        alike = [each for each in _added_names() if each.lower() == bare.lower()]
        record = _load(alike[0]) if len(alike) == 1 else None
    if record is not None and options:
        raise UsageError(f"The data set {bare} was added by you and takes no options; write {bare} alone.")
    return record


def meant(name: str, near: Sequence[str]) -> str:
    """The name of a data set that a recipe or an earlier run wrote; see `ganzoo.catalogue.catalogue.written_by`.

    What the user added under it comes first.
    """
    added = _load(parse_spec(name)[0]) is not None
    return name if added else written_by("dataset", name, near)


def _kept(source: Source, key: str, text: str) -> str:
    """An option as the source keeps it, such as a path that is absolute by now, where it can be typed so."""
    own = getattr(source, key, text)
    return own if isinstance(own, str) and "," not in own else text


def info(name: str) -> Info:
    """What is known of the data set `name`, with or without options.

    Raises:
        UsageError: there is none.
    """
    record = _added(name)
    if record is not None:
        return _info_of_record(record)
    (bare, options), (entry, source) = parse_spec(name), _of_plugin(name)
    bare = bare if ":" in bare else entry.name  # CIFAR10 is cifar10
    try:
        own, traits = holdings(source), traits_of(source)
        channels, (height, width) = own.channels, own.sizes[0] if own.sizes else (None, None)
        return Info(
            name=bare + ":" * bool(options) + ",".join(f"{key}={_kept(source, key, options[key])}" for key in options),
            origin=str(entry.card.origin),
            images=len(source),
            classes=source.classes,
            domains={domain: len(indices) for domain, indices in source.domains.items()},
            channels=channels,
            height=height,
            width=width,
            skipped=0,
            kind="plugin",
            source=f"{entry.distribution} {entry.version}",
            fingerprint=source.fingerprint,
            paired=bool(traits.paired),
            held_out=len(traits.held_out),
            label_kind=traits.label_kind,
            domain_channels=dict(traits.domain_channels),
            domain_sizes=dict(traits.domain_sizes),
            label_names=tuple(traits.label_names),
            distribution=entry.distribution,
            modality=modality_of(source) if channels is None else "image",
            shape=np.asarray(source.read(0)).shape if channels is None else (),
            details=dict(traits.details),
        )
    except GanzooError:
        raise
    except Exception as error:  # a plugin's mistake must not end the listing of all others
        raise GanzooError(f"The data set {name} of {entry.full_name} fails: {type(error).__name__}: {error}") from error


def names() -> list[Info]:
    """Every data set that can be trained on, by name; one that was added hides a plugin's of the same name.

    A name that several plugins offer is listed for each of them, with its distribution. One that does not work is
    listed with its `problem`.
    """
    added = _added_names()
    others = [entry for entry in entries("dataset") if entry.name not in added]
    count = Counter(entry.name for entry in others)
    offered = [entry.name if count[entry.name] == 1 else entry.full_name for entry in others]
    return [_info_or_problem(name, "user" if name in added else "plugin") for name in sorted([*added, *offered])]


def _info_or_problem(name: str, kind: str) -> Info:
    try:
        return info(name)
    except GanzooError as error:
        return Info(name, "", 0, (), {}, None, None, None, 0, kind, "", "", problem=str(error))


def _entry(name: str) -> Entry:
    try:
        return find("dataset", name)
    except UsageError as error:
        known = {entry.name for entry in entries("dataset")} | set(_added_names())
        if name in known:
            raise
        if again := _removed().get(name):
            raise UsageError(
                f"There is no data set {name!r} since it was removed; to add it again type: {again}"
            ) from error
        none = f"There is no data set {name!r}; {suggest(name, known)} Add your own: `ganzoo data add {name} FOLDER`."
        raise UsageError(instead(DATASET, name) or none) from error


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a data set; use up to 64 letters, digits, '-', '_' and '.', "
            "with a letter or digit first."
        )


def _taken(old: Record) -> UsageError:
    return UsageError(
        f"There is another data set {old.name} already, from {' + '.join(old.sources)}; "
        f"choose another name, or first type: ganzoo data remove {old.name}"
    )


def _leave_out_others(scanned: Scan, domains: Mapping[str, list[int]], names: Sequence[str]) -> None:
    """Takes items that are in none of the domains, for want of a partner, out of what was found, and says so."""
    wanted = {index for members in domains.values() for index in members}
    keep = [place for place, index in enumerate(scanned.kept) if index in wanted]
    scanned.skipped += [(names[index], "has no partner") for index in scanned.kept if index not in wanted]
    scanned.kept = [scanned.kept[place] for place in keep]
    scanned.marks = [scanned.marks[place] for place in keep]
    scanned.sizes = [scanned.sizes[place] for place in keep]
    if len(scanned.kept) < 4:
        raise UsageError("Fewer than two pairs can be used; training needs two or more.")
    order = json.dumps({name: list(members) for name, members in domains.items()})
    scanned.fingerprint = hashlib.sha256(f"{scanned.fingerprint}\n{order}".encode()).hexdigest()


def _renumbered(domains: Mapping[str, Sequence[int]], kept: Sequence[int]) -> dict[str, list[int]]:
    position = {index: place for place, index in enumerate(kept)}
    return {name: [position[i] for i in indices if i in position] for name, indices in domains.items()}


def _discard_files(paths: Sequence[str], copies_only: bool = False) -> None:
    """Removes what ganzoo itself unpacked or downloaded of these sources, where no data set needs it.

    Args:
        copies_only: downloads stay, to try again with.
    """
    needed = {path for record in _records() for path in record.paths}
    for path in (Path(each) for each in paths if each not in needed):
        for file in [path] if path.is_file() else path.rglob("*.tar"):
            with suppress(OSError):  # open still, on Windows
                plain_copy(file).unlink(missing_ok=True)
                members_file(file).unlink(missing_ok=True)
        if path.parent == home() / "downloads" and not copies_only:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _records() -> list[Record]:
    """Those that can be read; one that cannot must not stand in the way of the others."""
    records = []
    for name in _added_names():
        with suppress(GanzooError):
            records.append(_load(name))
    return [record for record in records if record is not None]


def _path(name: str) -> Path:
    return home() / "data" / f"{name}.json"


def _removed_file() -> Path:
    return home() / "removed.json"


def _removed() -> dict[str, str]:
    """Names that were removed, and the command that adds each again."""
    try:
        known = parse(read_bytes(_removed_file()), _removed_file(), "remove it")
    except (GanzooError, OSError):
        return {}
    return {str(name): str(again) for name, again in known.items()} if isinstance(known, dict) else {}


def _added_names() -> list[str]:
    return sorted(path.stem for path in (home() / "data").glob("*.json"))


def _load(name: str) -> Record | None:
    """The record of an added name; None when there is none."""
    if not _NAME.fullmatch(name):
        return None
    path, advice = _path(name), f"remove it, then add the data set {name} again"
    try:
        value = parse(read_bytes(path), path, advice)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GanzooError(f"{path} cannot be read ({error.strerror}); {advice}.") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise GanzooError(f"{path} was written by another version of ganzoo; {advice}.")
    record = from_json(Record, value, path, advice)
    if fault := record.fault():
        raise GanzooError(f"{path} is damaged: {fault}; {advice}.")
    return record


def _info_of_record(record: Record) -> Info:
    height, width = record.sizes[0] if len(record.sizes) == 1 else (None, None)
    kept = {each.name: getattr(record, each.name) for each in fields(Info) if hasattr(record, each.name)}
    known: dict[str, Any] = {
        **{name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()},
        "domains": {name: len(indices) for name, indices in record.domains.items()},
        "height": height,
        "width": width,
        "skipped": len(record.skipped),
        "kind": "user",
        "source": " + ".join(record.sources),
        "skipped_files": tuple(f"{name} {reason}" for name, reason in record.skipped),
        "modality": Added(record).modality,
        "paired": bool(record.pairs),
        "domain_sizes": Added(record).domain_sizes,
        "short_sides": _short_sides(record.sizes),
        "held_out": len(record.held_out),
        "class_counts": _class_counts(record),
    }
    return Info(**known)
