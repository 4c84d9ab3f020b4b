"""WebDataset shards: tar files in a folder, read as one set in any order by where each member begins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ganzoo.data.containers import Folder, Members, tar_members
from ganzoo.data.images import Unreadable
from ganzoo.data.kinds import is_hidden, is_image, part_of
from ganzoo.errors import UsageError
from ganzoo.files import load_json

_LABELS = ("label", "cls", "class")  # keys of a member .json


class Shards(Members):
    """The tars of a folder as one container: ``n01/a.jpg`` of ``faces-000.tar`` is ``n01/faces-000:a.jpg``.

    Where some shards' names begin with train and others' with test, val or the like, that is a folder above.

    Args:
        most: bytes that a compressed shard may unpack to.
    """

    def __init__(self, folder: Folder, path: Path, most: Callable[[Path], int]) -> None:
        self.lost = dict(folder.lost)
        self._folder = folder
        self._places = {}
        tars = _tars(folder)
        words = {tar: re.split("[^a-z]", PurePosixPath(tar).stem.lower())[0] for tar in tars}
        parted = {part_of(word) for word in words.values()} == {"train", "test"}
        for tar in tars:
            plain, places, _, lost = tar_members(path / tar, most(path / tar))
            self.lost |= {f"{tar}:{name}": why for name, why in lost.items()}
            shard = tar.removesuffix(".tar").replace("/", "_").replace(".", "_")
            for name, (offset, size) in places.items():
                above, slash, last = name.rpartition("/")
                full = f"{words[tar]}/" * parted + f"{above}{slash}{shard}:{last}"
                self._places[full] = plain, offset, size
        self.names = sorted(name for name in self._places if not is_hidden(name.replace(":", "/")))

    def signature(self) -> str:
        return self._folder.signature()


def holds_shards(folder: Folder) -> bool:
    """Whether a folder has tar files and no images beside them."""
    return bool(_tars(folder)) and not any(map(is_image, folder.names))


def _tars(folder: Folder) -> list[str]:
    return [name for name in folder.names if name.endswith(".tar") and not is_hidden(name)]


def labels_beside(images: Sequence[str], names: Sequence[str], read: Callable[[str], bytes]) -> str:
    """The labels in ``KEY.cls`` or ``KEY.json`` beside ``KEY.jpg``, as the text of a ``dataset.json``; "" without any.

    Args:
        names: of all members; a key is a name up to the first dot of its last part.
    Raises: UsageError for one that is no label.
    """
    for ending in ("cls", "json"):
        there = {_key(name): name for name in names if _ending(name) == ending}
        labelled = [(image, there[_key(image)]) for image in images if _key(image) in there]
        rows = [(image, label) for image, member in labelled if (label := _label(member, read)) is not None]
        if rows:
            return json.dumps({"labels": rows})
    return ""


def _key(name: str) -> str:
    above, slash, last = name.rpartition("/")
    return above + slash + last.partition(".")[0]


def _ending(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[2].lower()


def _label(member: str, read: Callable[[str], bytes]) -> str | int | None:
    """What a member says, a name or a number; None where its JSON says no label."""
    try:
        text = read(member).decode()
        if _ending(member) == "cls":
            return int(text) if re.fullmatch(r"\s*-?\d{1,18}\s*", text) else text.strip()
        value = load_json(text)
    except (Unreadable, ValueError) as error:
        raise UsageError(f"{member} holds no label ({error}); mend it, or go on without: --labels none.") from error
    if not isinstance(value, dict):
        return None
    label = next((value[key] for key in _LABELS if key in value), None)
    if label is not None and not isinstance(label, (str, int)):
        raise UsageError(f"{member} has a label that is no name and no whole number; go on without: --labels none.")
    return label
