"""What the folders of a source stand for: parts to train on and to hold out, classes, domains."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from ganzoo.data.kinds import is_hidden, is_image, part_of
from ganzoo.data.labels import Labels, domains_from_folders, label_list, listed, without_wrapper
from ganzoo.data.source import trained_on
from ganzoo.errors import UsageError, printable, suggest

_END = r"((data)?set|data|images?|imgs?|[ab])?($|[^a-z])"
_TRAINING = re.compile(r"(^|[^a-z])train(ing)?" + _END)  # a name that has the word
_APART = re.compile(r"(^|[^a-z])(test(ing)?|val|valid(ation)?|evaluation|eval|dev|holdout)" + _END)
_PICTURES = re.compile(r"(^|[^a-z])(jpeg|input|left|right)?(image|img|photo|picture|rgb|input)s?($|[^a-z])")
_BELONGING = re.compile(
    r"(^|[^a-z])(mask|annotation|anno|label|trimap|ground_?truth|gt(fine|coarse)?|depth|disparity|target|semantic|"
    r"instance)s?($|[^a-z])|^segmentation"
)
_VERSION = re.compile(r"v\d+(\.\d+)+", re.IGNORECASE)
_PORTION = re.compile(r"(fold|part|split|batch|chunk|shard|subset)[ _-]?\d+|\d+ ?(x ?\d+|px)", re.IGNORECASE)
_CAMERA = re.compile(  # how cameras and phones sort what they took
    r"[1-9]\d\d(APPLE|CANON|NIKON|MSDCF|MEDIA|ANDRO|OLYMP|_PANA|_FUJI|GOPRO|CASIO|LEICA|RICOH|PENTX|D\d{4})"
    r"|(19|20)\d\d([-_. ])(0?[1-9]|1[0-2])(\3\d\d?)?|(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
)
_UNLABELLED = re.compile(r"un-?labell?ed|no[ _-]?labels?", re.IGNORECASE)
_MASK = re.compile(r"(.+)_(mask|seg|segmentation|gt)(_\d+)?")
FEW = 0.05  # share of the files that may lie beside the folders of classes or parts


@dataclass
class Layout:
    """What was found, by the files' numbers.

    Attributes:
        names: of the files, without the folders that all lie in, and without their part's.
        held_out: files that are kept for scoring and never trained on, of a source without domains.
        labels: classes, where folders are some.
        domains: domain -> files; those of names that begin with "test" are held out.
        left_out: files that are not used, and why.
        notes: what the folders were taken for, in sentences.
    """

    names: list[str]
    held_out: set[int] = field(default_factory=set)
    labels: Labels = field(default_factory=Labels)
    domains: Mapping[str, Sequence[int]] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def layout_of(
    names: Sequence[str], folders: Collection[str] = (), parts: str = "auto", classes: str = "auto"
) -> Layout:
    """What folders of files stand for.

    Args:
        names: the files' paths, "/" between folders.
        folders: all folders there are, so that one without files is named.
        parts: "auto", "none", or folders by name: ``"train=A,test=B+C"``.
        classes: "auto", "folders" (files beside the folders are left out, however many), "none", or "pairs": none, and
            folders that hold the same folders may be domains.
    Raises: UsageError when it cannot be told, saying what to type, or `parts` names no folder.
    """
    layout = Layout(without_wrapper(names))
    stems = {name: name.removesuffix(PurePosixPath(name).suffix) for name in layout.names if is_image(name)}
    there = {*stems.values()}
    named = [_MASK.fullmatch(stems.get(name, "")) for name in layout.names]
    masks = [index for index, match in enumerate(named) if match and match[1] in there]
    layout.left_out = dict.fromkeys(masks, "has the name of another picture, as its mask")
    if masks:
        example = printable(layout.names[masks[0]])
        layout.notes.append(f"{len(masks):,} pictures are left out as masks, such as {example}.")
    endings = [] if masks else _endings([*stems.values()])
    if endings:
        layout.notes.append(
            f"There are {len(endings)} pictures of each name, ending in {listed(endings)}; to train on one of these "
            "kinds, put it in a folder of its own."
        )
    layout.domains = domains_from_folders(layout.names)
    if layout.domains:
        layout.notes.append(f"The folders are the domains {listed(trained_on(layout.domains))}.")
        used = {index for members in layout.domains.values() for index in members}
        layout.left_out |= dict.fromkeys({*range(len(layout.names))} - used, "lies in the folder of no domain")
        return layout
    split = _parts(layout, parts, classes == "pairs")
    wrapper = names[0][: len(names[0]) - len(layout.names[0])] if names else ""
    if split:
        _take_parts(layout, split)
    if classes in ("auto", "folders"):
        _take_classes(layout, every=classes == "folders", flat=parts == "auto")
    full = _with_files(names)
    empty = {*_shortened({*folders} - full, wrapper, split)} - {*_shortened(full, wrapper, split)}
    known = " and is no class" * bool(layout.labels.classes)
    layout.notes += [f"The folder {printable(folder)} has no images{known}." for folder in sorted(empty)]
    return layout


def _endings(stems: Sequence[str]) -> list[str]:
    """What names end in where each comes with the same words behind it: a_color, a_ids, b_color, b_ids; else []."""
    words: dict[str, set[str]] = {}
    for name, mark, ending in (stem.rpartition("_") for stem in stems):
        words.setdefault(name, set()).add(mark + ending)
    endings = sorted(next(iter(words.values()), ()))
    alike = len({*map(frozenset, words.values())}) == 1 < len(endings) < len(words)
    return endings if alike and not any(ending[-1:].isdigit() for ending in endings) else []


def _parts(layout: Layout, parts: str, domains: bool) -> dict[str, str]:
    """Folder -> "train" or "test"; {} where there are no parts."""
    if parts == "none":
        return {}
    if parts != "auto":
        return _given_parts(layout, parts)
    tops = Counter(name.partition("/")[0] for name in layout.names if "/" in name)
    kinds = {folder: part_of(folder) for folder in tops}
    others = [folder for folder, kind in kinds.items() if not kind]
    train, test = ([folder for folder, kind in kinds.items() if kind == which] for which in ("train", "test"))
    loose = sum("/" not in name for name in layout.names)
    if not test or (len(tops) == 1 and not loose):  # "train" beside "car" and "plane" is a class
        inner = {} if test else _inner_parts(layout)
        if not inner:
            _check_alike(layout, tops, domains)
        return inner
    if not train or others or loose > max(1, FEW * len(layout.names)):
        beside = ", ".join([*train, *others][:5]) or f"{loose} files"
        raise UsageError(
            f"The folders {listed(test)} look like images to hold out, beside {beside}; say which is which: "
            f"--parts train={train[0] if train else 'FOLDER'},test={'+'.join(test)}, or --parts none for classes."
        )
    return {folder: kind for folder, kind in kinds.items() if kind}


def _check_alike(layout: Layout, tops: Collection[str], domains: bool) -> None:
    """Raises: UsageError for folders that look like parts under other names: train_set and test_set, train and dev."""
    inner: dict[str, set[str]] = {top: set() for top in tops}
    for top, _, rest in (name.partition("/") for name in layout.names):
        if "/" in rest:
            inner[top].add(rest.partition("/")[0])
    train = [top for top in tops if _TRAINING.search(top.lower())]
    others = [top for top in tops if top not in train and train]
    apart = [top for top in others if _APART.search(top.lower()) or (inner[top] and inner[top] <= inner[train[0]])]
    if apart:
        raise UsageError(
            f"The folders {listed(sorted(tops))} look like images to train on and to hold out, but their names "
            f"do not say so for certain; say which is which: --parts train={train[0]},test={'+'.join(sorted(apart))}, "
            "or --parts none for classes."
        )
    outer = next((top for top in tops if part_of(top) == "train" and len(inner[top]) > 1), "")
    if outer and len(tops) > 1:
        others = sorted(top for top in tops if top != outer)
        raise UsageError(
            f"The folder {printable(outer)} holds the folders {listed(sorted(inner[outer]), 4)}, which look like "
            f"classes, and lies beside {listed(others, 4)}; say what to train on: --parts train={outer}, which leaves "
            "the others out, or --parts none for classes."
        )
    if domains or _belong_together(layout.names):
        return  # classes they are not, which is said where these are asked for
    if not train and len(tops) > 1 and len({*map(frozenset, inner.values())}) == 1 < len(next(iter(inner.values()))):
        count = Counter(name.partition("/")[0] for name in layout.names)
        first, *others = sorted(tops, key=lambda top: (bool(_APART.search(top.lower())), -count[top], top))
        raise UsageError(
            f"The folders {listed(sorted(tops))} hold the same folders, {listed(sorted(inner[first]), 4)}: these may "
            f"be classes, and those images to train on and to hold out. Say which: --parts train={first},"
            f"test={'+'.join(others)}, or --parts none where {listed(sorted(tops), 4)} are the classes; "
            f"--parts train={'+'.join([first, *others])} trains on all of them, and --pairs names on files of one name "
            "as pairs."
        )


def _inner_parts(layout: Layout) -> dict[str, str]:
    """Parts within each class: cat/train, cat/val, dog/train, dog/val. Raises: UsageError beside other folders."""
    inner = {tuple(name.split("/")[1:-1])[:1] for name in layout.names}
    words = [each[0] for each in inner if each]
    kinds = {folder: part_of(folder) for folder in words}
    if len(words) < len(inner) or not {*kinds.values()} >= {"train", "test"}:
        return {}
    if others := [folder for folder, kind in kinds.items() if not kind]:
        train, test = ([folder for folder in words if kinds[folder] == kind] for kind in ("train", "test"))
        raise UsageError(
            f"The folders hold {listed(sorted(train + test))}, which look like images to train on and to hold out, "
            f"beside {listed(sorted(others), 4)}; say which is which: --parts train={'+'.join(sorted(train))},"
            f"test={'+'.join(sorted(test))}, which leaves the others out, or --parts none."
        )
    return kinds


def _given_parts(layout: Layout, parts: str) -> dict[str, str]:
    known = {folder for name in layout.names for folder in name.split("/")[:-1][:2]}
    split: dict[str, str] = {}
    for word in parts.split(","):
        kind, equals, text = word.strip().partition("=")
        if kind not in ("train", "test") or not equals:
            raise UsageError(f"--parts takes auto, none, or folders such as train=A,test=B+C, not {parts!r}.")
        for folder in text.split("+"):
            if folder not in known:
                raise UsageError(f"--parts names a folder {folder!r}, which is not there; {suggest(folder, known)}")
            if split.setdefault(folder, kind) != kind:
                raise UsageError(f"--parts both trains on {folder!r} and holds it out; name it once.")
    return split


def _without(name: str, split: Mapping[str, str]) -> tuple[str, str]:
    """A path without the folder that is its part's, and that folder; "" for none."""
    folders = name.split("/")
    part = next((folder for folder in folders[:2] if folder in split), "")
    if part:
        folders.remove(part)
    return "/".join(folders), part


def _take_parts(layout: Layout, split: Mapping[str, str]) -> None:
    rest = "" if "train" in split.values() else "train"  # of what no part is said
    found = [_without(name, split) if "/" in name else (name, "") for name in layout.names]
    twice = {top for top in split if all(name.startswith(f"{top}/") for name, part in found if part == top)}
    names = [name.removeprefix(f"{part}/" if part in twice else "") for name, part in found]  # train/train/cat/0.png
    for index, (_, folder) in enumerate(found):
        kind = split.get(folder, rest)
        if kind == "test":
            layout.held_out.add(index)
        elif not kind:
            layout.left_out[index] = "lies in none of the parts"
    if rest:  # what lies in none of the folders that were named may lie in another one, which is no class either
        others = [index for index in range(len(names)) if index not in layout.held_out]
        tops = {names[index].partition("/")[0] for index in layout.held_out}
        if not tops & {names[index].partition("/")[0] for index in others}:
            for index, name in zip(others, without_wrapper([names[index] for index in others]), strict=True):
                names[index] = name
    used = [index for index in range(len(names)) if index not in layout.left_out]
    for index, name in zip(used, without_wrapper([names[index] for index in used]), strict=True):
        names[index] = name
    layout.names = names
    train, test = (sorted(folder for folder, kind in split.items() if kind == which) for which in ("train", "test"))
    trained = f"The images in {listed(train)} are trained on" if train else "The others are trained on"
    layout.notes.append(f"{trained}, those in {listed(test)} are held out." if test else f"{trained}.")
    if layout.held_out.issuperset(used):
        raise UsageError("Nothing is left to train on; --parts says which folders are trained on and which held out.")


def _take_classes(layout: Layout, every: bool, flat: bool) -> None:
    """Args: flat: whether held-out images may lie beside the folders; then they go, and not the classes."""
    used = [index for index in range(len(layout.names)) if index not in layout.left_out]
    tops = {index: layout.names[index].partition("/")[0] for index in used if "/" in layout.names[index]}
    loose = [index for index in used if index not in tops]
    trained = {top for index, top in tops.items() if index not in layout.held_out}
    if len(trained) < 2:
        if every:
            raise UsageError(
                "There are fewer than two folders with images, so they are no classes; leave out --labels."
            )
        return
    if not every:
        beside = [index for index in loose if not flat or index not in layout.held_out]
        why = _no_classes(layout, tops, trained, beside)
        if why:
            layout.notes.append(f"No classes are taken: {why}.")
            return
    layout.left_out.update(dict.fromkeys(loose, "lies beside the folders of the classes"))
    strange = {index: "is of a class that is not trained on" for index, top in tops.items() if top not in trained}
    layout.left_out.update(strange)
    labelled = [index for index in tops if index not in strange]
    labels = label_list([tops[index] for index in labelled])
    place = dict(zip(labelled, labels.of, strict=True))
    layout.labels = Labels(labels.classes, [place.get(index, -1) for index in range(len(layout.names))])
    layout.notes += [f"The folders {listed(labels.classes)} are classes.", *layout.labels.notes]
    names = [layout.names[index] for index in labelled]
    if not every:
        by_number = "They may only divide the files by number. " if _divided_by_number(names) else ""
        pairs = ", or where files of one name are pairs: --pairs names" if _same_files(names) else ""
        layout.notes.append(f"{by_number}Where they are no classes, type: --labels none{pairs}")


def _no_classes(layout: Layout, tops: Mapping[int, str], trained: Set[str], beside: Sequence[int]) -> str:
    """Why the folders that are trained on are no classes, with the option that takes them; "" where they may be.

    Raises: UsageError for pictures and what belongs to them.
    """
    folders = listed(sorted(trained))
    if _belong_together([layout.names[index] for index, top in tops.items() if top in trained]):
        raise UsageError(
            f"The folders {folders} look like pictures and what belongs to them, not like classes; "
            "give the folder of the pictures, or type --pairs names for two domains, or --labels folders for classes."
        )
    if len(beside) > max(1, FEW * (len(tops) + len(beside))):
        return (
            f"{len(beside):,} images lie beside the folders {folders}. --labels folders takes the folders and leaves "
            "those out"
        )
    apart = {tops[index] for index in layout.held_out if index in tops}
    if apart and not apart & trained and not all(map(_PICTURES.search, map(str.lower, apart))):
        return (
            f"the folders held out, {listed(sorted(apart))}, are others than those trained on, {folders}. "
            "--labels folders takes the latter and leaves the former out"
        )
    if all(map(_VERSION.fullmatch, trained)):
        return f"the folders {folders} are called as versions are. --labels folders takes them"
    if all(map(_PORTION.fullmatch, trained)):
        return f"the folders {folders} are called as parts or sizes of a set are. --labels folders takes them"
    if all(map(_CAMERA.fullmatch, trained)):
        return f"the folders {folders} are called as a camera does, or by dates. --labels folders takes them"
    if without := [folder for folder in trained if _UNLABELLED.fullmatch(folder)]:
        return f"the folder {listed(without)} says that its images have none. --labels folders takes it as a class"
    if _divided_by_number([layout.names[index] for index in tops]) == "surely":
        return f"the folders {folders} only divide the files by number. --labels folders takes them"
    return ""


def _belong_together(names: Sequence[str]) -> bool:
    """Whether some of the folders of these files are called as pictures are, and others, or the ones in these that are
    called as versions, as masks and the like; or as another and its masks: train and train_masks.
    """
    above = {tuple(name.lower().split("/")[:-1][:2]) for name in names}
    folders = {words[-1] if _VERSION.fullmatch(words[0]) else words[0] for words in above if words}
    bare = {_BELONGING.sub("", folder).strip("_- ") for folder in folders if _BELONGING.search(folder)}
    return bool(bare & folders) or all(
        any(kind.search(folder) for folder in folders) for kind in (_PICTURES, _BELONGING)
    )


def _same_files(names: Sequence[str]) -> bool:
    """Whether each folder has files of the same names, whatever their suffix."""
    inner: dict[str, set[str]] = {}
    for top, _, rest in (name.partition("/") for name in names):
        inner.setdefault(top, set()).add(rest.removesuffix(PurePosixPath(rest).suffix))
    return len({*map(frozenset, inner.values())}) == 1


def _divided_by_number(names: Sequence[str]) -> Literal["", "perhaps", "surely"]:
    """Whether each folder's number follows from that of each of its files, as in 012/12345.png; surely where it is that
    of the first, as in 01000/01234.png.
    """
    numbers = [re.fullmatch(r"(\d+)/(?:.*\D)?(\d+)\D*(?:\.\w+)?", name) for name in names]
    pairs = [(match[1], match[2]) for match in numbers if match]
    if len(pairs) < len(names):
        return ""

    ways: list[Callable[[int, int], int]] = [lambda n, step: n // step * step, operator.floordiv, operator.mod]

    def follows(way: Callable[[int, int], int], *steps: int) -> bool:
        return any(all(way(int(number), step) == int(folder) for folder, number in pairs) for step in steps)

    if follows(ways[0], 1000, 10_000) and all(len(folder) == len(number) for folder, number in pairs):
        return "surely"
    return "perhaps" if any(follows(way, 100, 1000, 10_000) for way in ways) else ""


def _with_files(names: Sequence[str]) -> set[str]:
    """The folders that have files in them, or in a folder in them."""
    full = {name.rpartition("/")[0] for name in names}
    for folder in [*full]:
        while folder and (folder := folder.rpartition("/")[0]) not in full:
            full.add(folder)
    return full


def _shortened(folders: Collection[str], wrapper: str, split: Mapping[str, str]) -> Iterator[str]:
    """Those folders that could be classes, without the folders that all files lie in, or beside these, and without
    their part's.
    """
    outer, slash, own = wrapper.rstrip("/").rpartition("/")
    for folder in folders:
        short = _without(folder.removeprefix(wrapper), split)[0] if folder.startswith(wrapper) else ""
        if own and not short and folder.startswith(outer + slash):
            short = folder.removeprefix(outer + slash)
        if short and "/" not in short and not is_hidden(short):
            yield short
