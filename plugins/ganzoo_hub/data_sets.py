"""Data sets of the Hugging Face hub: one revision, streamed once into one zip that is read like any other.

The zip holds the files as they are stored there, so nothing is decoded, and no Arrow copy beside it takes disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.api import (
    Fetched,
    GanzooError,
    Report,
    UsageError,
    home,
    locked,
    make_folder,
    need,
    printable,
    replaced,
    suggest,
)
from ganzoo_hub.hub import client, explained, parse

KIND = "data set"
_MAJOR = 5  # version of the library
_KEYS = ("split", "config", "image", "label")
_LOCAL = re.compile(r"hf://datasets/([/.~\\]|[A-Za-z]:[/\\])")
_LABELS = ("label", "labels", "class", "category", "target")  # columns of words or numbers that may be classes
_HELD_OUT = ("test", "validation")  # splits that are kept for scoring, as folders of these names are
_RESERVE = 500_000_000  # bytes of disk that are left free
_LOOK = 500  # images between looks at the disk
_LARGEST = 1 << 29  # bytes of a file; what is larger is no training image


@dataclass(frozen=True)
class _Place:
    """Where a data set's tables are.

    Attributes:
        name: of the repository, or of the folder or file on this machine.
        state: what tells it from itself at another time: the commit, or sizes and times of the files.
        address: in full.
        root: what the files that its rows name lie in.
        local: the folder or file; None on the hub.
    """

    name: str
    state: str
    address: str
    root: str
    local: Path | None = None


def fetch(address: str, report: Report) -> Fetched:
    """The images and labels of ``hf://datasets/USER/NAME[@REVISION][#split=…,config=…,image=…,label=…]``.

    So too of a folder of this machine that is laid out as on the hub, or a Parquet file: ``hf://datasets/./FOLDER``.

    Returns: the zip, and the address with the commit that it is of.
    Raises: UsageError where the address does not say what to take; GanzooError when it cannot be had.
    """
    bare, _, fragment = address.partition("#")
    chosen = _chosen(fragment)
    place = _on_this_machine(bare) if _LOCAL.match(bare) else _on_the_hub(bare, chosen)
    path = _kept(place.name, place.state, chosen)
    make_folder(path.parent)
    with locked(path.with_suffix(".lock"), lambda: report(f"Waiting for another download of {place.name}", 0, 0)):
        if not path.exists():
            datasets = _library()
            splits = _splits(datasets, place, chosen, bare)
            _write(datasets, splits, path, place, chosen, report)
    title = place.address if place.local is None else place.name
    return Fetched(path, place.address + (f"#{fragment}" if fragment else ""), title)


def _on_the_hub(address: str, chosen: Mapping[str, str]) -> _Place:
    repository, revision = parse(address, KIND)
    _library()  # says now that it is missing
    if revision is None or not _kept(repository, revision, chosen).exists():
        hub = client()
        with explained(hub, address, "", KIND):
            found = hub.HfApi().dataset_info(repository, revision=revision)
        repository, revision = str(found.id), str(found.sha)
    pinned = f"hf://datasets/{repository}@{revision}"
    return _Place(repository, revision, pinned, pinned)


def _on_this_machine(address: str) -> _Place:
    local = Path(os.path.expanduser(address.removeprefix("hf://datasets/"))).absolute()
    if not local.exists():
        raise UsageError(f"There is nothing at {local}; after hf://datasets/ comes USER/NAME, or the path of a folder.")
    files = sorted(each for each in local.rglob("*") if each.is_file()) if local.is_dir() else [local]
    state = "\n".join(f"{each} {each.stat().st_size} {each.stat().st_mtime_ns}" for each in files)
    return _Place(local.name, state, f"hf://datasets/{local}", local.as_posix(), local)


def _library() -> Any:
    datasets = need("datasets", "datasets", "hf://datasets/", "datasets")
    if int(str(datasets.__version__).partition(".")[0]) < _MAJOR:  # earlier ones may execute what a data set brings
        raise GanzooError(
            f"hf://datasets/ needs datasets {_MAJOR} or later, and {datasets.__version__} is installed; "
            "type: pip install -U 'ganzoo[datasets]'"
        )
    datasets.disable_progress_bars()  # ganzoo shows its own
    for library in ("datasets", "huggingface_hub"):  # what fails is raised too, and said once
        logging.getLogger(library).setLevel(logging.CRITICAL)
    return datasets


def _chosen(fragment: str) -> dict[str, str]:
    """What follows # in an address. Raises: UsageError for another key than those there are."""
    chosen: dict[str, str] = {}
    for word in filter(None, fragment.split(",")):
        key, equals, value = word.partition("=")
        if key not in _KEYS or not equals or not value:
            raise UsageError(f"After # come split=, config=, image= or label= and a name, not {word!r}.")
        chosen[key] = value
    return chosen


def _kept(repository: str, commit: str, chosen: Mapping[str, str]) -> Path:
    """Where the zip of this choice is, or would be: among the downloads, so that removing the data set removes it."""
    key = hashlib.sha256(json.dumps([repository, commit, sorted(chosen.items())]).encode()).hexdigest()[:12]
    return home() / "downloads" / f"{key}-{repository.replace('/', '--')[-80:]}.zip"


def _splits(datasets: Any, place: _Place, chosen: Mapping[str, str], address: str) -> dict[str, Any]:
    """Folder in the zip -> the rows that go there, one after the other."""
    with _said(address):
        found = _loaded(datasets, place, chosen.get("config"))
    name = chosen.get("split")
    if name is not None:
        if name not in found:
            raise UsageError(f"{address} has no split {name!r}; {suggest(name, found)}")
        return {"": found[name]}
    if len(found) == 1:
        return {"": next(iter(found.values()))}
    if "train" not in found or not found.keys() <= {"train", *_HELD_OUT}:
        names = ", ".join(found)
        raise UsageError(f"{address} has the splits {names}; say which to take: {address}#split={next(iter(found))}.")
    return {f"{split}/": rows for split, rows in found.items()}


def _loaded(datasets: Any, place: _Place, config: str | None) -> dict[str, Any]:
    """Split -> its rows."""
    local = place.local
    if local is None:
        return dict(datasets.load_dataset(place.name, config, revision=place.state, streaming=True))
    if local.is_file():
        return dict(datasets.load_dataset("parquet", data_files=str(local), streaming=True))
    if (local / "state.json").exists():  # one split, as the library's own save_to_disk writes it
        return {"train": datasets.load_from_disk(str(local)).to_iterable_dataset()}
    if (local / "dataset_dict.json").exists():
        return {name: rows.to_iterable_dataset() for name, rows in datasets.load_from_disk(str(local)).items()}
    return dict(datasets.load_dataset(str(local), config, streaming=True))


def _write(
    datasets: Any, splits: Mapping[str, Any], path: Path, place: _Place, chosen: Mapping[str, str], report: Report
) -> None:
    """Writes images and labels into a zip, whole or not at all."""
    address = place.address
    first = next(iter(splits.values()))
    image, label = _columns(datasets, first.features or {}, chosen, address)
    names = getattr((first.features or {}).get(label), "names", None)
    labels: list[tuple[str, Any]] = []
    with replaced(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
        for folder, rows in splits.items():
            total = _count(rows)
            stream = rows.select_columns([image, label] if label else [image])
            stream = stream.cast_column(image, datasets.Image(decode=False))
            for index, row in enumerate(_rows(stream, address)):
                content = _content(row[image], address, place.root)
                member = f"{folder}{index:08d}{_suffix(content)}"
                file.writestr(member, content)
                if label:
                    if row[label] is None or (names and row[label] < 0):
                        raise UsageError(
                            f"{address} has images without a label ({member}, column {label}); take a split that has "
                            "them: #split=train behind the address."
                        )
                    labels.append((member, row[label]))
                report(f"Fetching {address.partition('@')[0]}", index + 1, max(total, index + 1) if total else 0)
                if index % _LOOK == 0 and shutil.disk_usage(path.parent).free < _RESERVE:
                    raise UsageError(f"{address} would fill the disk of {path.parent}; make room or set GANZOO_HOME.")
        if labels:
            file.writestr("dataset.json", json.dumps({"labels": labels, "classes": names}))


def _columns(datasets: Any, features: Mapping[str, Any], chosen: Mapping[str, str], address: str) -> tuple[str, str]:
    """The columns of the image and of the label; "" for no label. Raises: UsageError where they cannot be told."""
    for key in ("image", "label"):
        if key in chosen and chosen[key] not in features:
            raise UsageError(f"{address} has no column {chosen[key]!r}; {suggest(chosen[key], features)}")
    images = [name for name, kind in features.items() if _of_pictures(datasets, kind)]
    labels = [name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    labels = labels or [name for name in features if name.lower() in _LABELS]
    if not images or ("image" in chosen and chosen["image"] not in images):
        which = f" called {chosen['image']}" if images else ""
        raise UsageError(f"{address} has no column of images{which}, only {_listed(features)}.")
    for what, columns in (("image", images), ("label", labels)):
        if what not in chosen and len(columns) > 1:
            raise UsageError(
                f"{address} has several columns of {what}s, {', '.join(columns)}; choose one: "
                f"#{what}={columns[0]} behind the address."
            )
    return chosen.get("image") or images[0], chosen.get("label") or (labels[0] if labels else "")


def _of_pictures(datasets: Any, kind: Any) -> bool:
    """Whether a column has pictures: by its kind, or files as they are, as other programs write them."""
    as_files = isinstance(kind, dict) and kind.keys() == {"bytes", "path"}
    return isinstance(kind, datasets.Image) or as_files or getattr(kind, "dtype", "") in ("binary", "large_binary")


def _listed(features: Mapping[str, Any]) -> str:
    return printable(", ".join(features) or "files that are no table")


def _count(rows: Any) -> int:
    """How many rows are stated; 0 where nothing is."""
    stated = (rows.info.splits or {}).get(str(rows.split))
    return int(stated.num_examples) if stated is not None and stated.num_examples else 0


def _rows(stream: Any, address: str) -> Iterator[Any]:
    with _said(address):
        yield from stream


def _content(image: Mapping[str, Any] | None, address: str, root: str) -> bytes:
    """A file's bytes; none of what is missing, which is then counted among the images that cannot be read.

    Raises: GanzooError for a path out of the repository: a table may name any file of this machine.
    """
    if image is None:
        return b""
    if image.get("bytes") is not None:
        return bytes(image["bytes"])
    path = str(image.get("path") or "")
    inner, _, place = path.rpartition("::")  # of an archive: zip://a.png::hf://datasets/…
    plain = place.replace(os.sep, "/")
    inside = plain.startswith(f"{root}/") and ".." not in plain.split("/")
    if not inside or not re.fullmatch(r"((zip|tar)://[^:]+)?", inner):
        raise GanzooError(f"{address} names a file outside of itself, {printable(path)!r}; do not use it.")
    fsspec = need("fsspec", "fsspec", "hf://datasets/", "datasets")
    with _said(address), fsspec.open(path, "rb") as file:
        data: bytes = file.read(_LARGEST + 1)
    return data if len(data) <= _LARGEST else b""


def _suffix(content: bytes) -> str:
    """Of the commonest kinds; what is read goes by the content, and what has an ending is counted if it is none."""
    return ".jpg" if content[:2] == b"\xff\xd8" else ".webp" if content[8:12] == b"WEBP" else ".png"


@contextlib.contextmanager
def _said(address: str) -> Iterator[None]:
    """Raises: GanzooError, in one sentence, for whatever the library, its readers or the network say."""
    try:
        yield
    except (GanzooError, GeneratorExit):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if "pick one among" in reason or "BuilderConfig" in reason:
            raise UsageError(
                f"{address} has several configurations or not this one ({reason[:300].rstrip('.')}); name one: "
                "#config=NAME behind the address."
            ) from error
        advice = "its files" if _LOCAL.match(address) else "the network, and that the data set's page shows its rows"
        raise GanzooError(f"{address} cannot be read ({reason[:200].rstrip('.')}); check {advice}.") from error
