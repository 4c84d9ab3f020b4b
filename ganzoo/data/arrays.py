"""Images in arrays: MNIST's idx files, npz and npy files. Sizes are read before memory is taken."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from ganzoo.data.containers import DAMAGE, read_blocks
from ganzoo.data.images import Reading, Unreadable
from ganzoo.data.label_files import CLASS_KEYS
from ganzoo.data.levels import BYTES, Span, own_levels, span_of, to_bytes
from ganzoo.errors import GanzooError, UsageError, printable
from ganzoo.files import megabytes

Array = npt.NDArray[Any]

_IMAGE_KEYS = ("images", "x_train", "train_images", "x", "data", "imgs", "image", "arr_0")  # in small letters
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_SMALL = 8  # pixels; an axis that is shorter is no side of a picture
_LABEL_KEYS = ("labels", "y_train", "train_labels", "y", "target", "targets", "label", "arr_1")
_HELD_OUT = ("test", "val", "valid", "validation")  # x_test is held out beside x_train, x_test or images_val beside x


@dataclass(frozen=True)
class Stored:
    """Items of an array file.

    Attributes:
        items: images uint8 [N, H, W, C], or vectors float32 [N, D]; those held out are the last.
        labels: [N] or [N, K]; None where there are none.
        reading, span: how pixels were read, and what was stored in them; no span of vectors.
        apart: how many are held out, and the arrays they are in, by name.
        classes: names of the labels 0, 1, …; () where the file has none.
        notes: what was taken for what, in sentences.
    """

    items: Array
    labels: Array | None
    reading: Reading
    span: Span | None
    apart: tuple[int, tuple[str, ...]] = (0, ())
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_idx(path: Path, reading: Reading) -> Array:
    """The unsigned bytes of an idx file, gzipped or not: images [N, H, W] or labels [N].

    Raises:
        GanzooError: it is no such file, is cut short, or unpacks to more than is read.
    """
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            with cast("IO[bytes]", gzip.open(plain) if packed else plain) as file:
                head = file.read(4)
                if head[:3] != b"\0\0\x08" or len(head) < 4 or head[3] > 4:  # axes; an idx file of images has 3
                    raise UsageError(f"{path} is not an idx file of unsigned bytes, MNIST's own format.")
                sizes = file.read(4 * head[3])
                shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
                count = math.prod(shape)
                _check_size(path, count, reading)
                data = read_blocks(file, count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise GanzooError(f"Cannot read {path} ({error}); it may be damaged or cut short.") from error
    if len(sizes) < 4 * head[3] or len(data) != count:
        held = f"{len(data):,}" if len(data) <= count else "more"
        raise GanzooError(f"{path} should hold {count:,} bytes of data and holds {held}.")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _check_size(path: Path, count: int, reading: Reading) -> None:
    """Raises: UsageError when a file holds more than is read of one of its size."""
    if count > reading.most_unpacked(path.stat().st_size):
        raise UsageError(
            f"{path} unpacks to {megabytes(count)}, far more than its own {megabytes(path.stat().st_size)}; if that is "
            f"meant, type --max-unpacked {count}."
        )


def idx_in(folder: Path) -> list[Path]:
    """The files of images in a folder of idx files: the one that is read first, a training one where there is one."""
    files = sorted(path for path in folder.rglob("*images*idx3*") if path.is_file())
    return sorted(files, key=lambda path: "train" not in path.name.lower())


def idx_labels(images: Path) -> Path | None:
    """The labels beside a file of idx images; None when there are none."""
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    if name == images.name:
        return None
    stem = name.removesuffix(".gz")
    return next((path for path in (images.with_name(stem), images.with_name(stem + ".gz")) if path.is_file()), None)


def read_npz(path: Path, reading: Reading) -> Stored:
    """Images (or vectors) and labels of an npz file, or of an npy file, which has no labels.

    Raises:
        GanzooError: it cannot be read, or its arrays are not images.
    """
    keys: list[list[str]] = []
    members: dict[str, zipfile.ZipInfo] = {}
    classes: dict[str, Array] = {}
    try:
        if not zipfile.is_zipfile(path):
            with path.open("rb") as plain:
                parts: list[list[Array]] = [[_array(plain, path.stat().st_size, path, reading)]]
        else:
            with zipfile.ZipFile(path) as file:
                members = {member.filename.removesuffix(".npy"): member for member in file.infolist()}
                keys = _keys(members, path)
                parts = []
                for row in keys:
                    parts.append([])
                    for key in row:
                        with file.open(members[key]) as content:
                            parts[-1].append(_array(content, members[key].file_size, path, reading))
                for key in (key for key in CLASS_KEYS if key in members and len(keys[0]) > 1):
                    with suppress(ValueError), file.open(members[key]) as content:  # as of Python objects
                        classes[key] = _array(content, members[key].file_size, path, reading)
    except (OSError, EOFError, ValueError, *DAMAGE) as error:
        raise GanzooError(f"Cannot read {path} ({error}); arrays must be plain, without Python objects.") from error
    first, *labels = parts[0]
    last, axes = _count_last(first.shape, len(labels[0]) if labels and labels[0].ndim else 0)
    if last:
        parts = [[np.moveaxis(items, -1, 0), *labels] for items, *labels in parts]
    for items, *labels in parts:
        if labels and (labels[0].ndim not in (1, 2) or len(labels[0]) != len(items)):
            raise UsageError(f"{path} should have one label for each of its {len(items)} images, or a row of them.")
    if any(len({array.shape[1:] for array in arrays}) > 1 for arrays in zip(*parts, strict=True)):
        raise UsageError(f"{path} holds out items or labels of another shape than the others; give them as two files.")
    items, *labels = (arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    pixels, reading, span = _pixels(items, path, reading)
    values = labels[0] if labels else None
    if values is not None and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    classes = {key: names for key, names in classes.items() if names.dtype.kind in "SU" and names.ndim == 1}
    read = {key for row in keys for key in row} | {*list(classes)[:1]}
    apart = len(items) - len(parts[0][0]), tuple(row[0] for row in keys[1:])
    class_names = tuple(map(str, next(iter(classes.values())).astype(str))) if classes else ()
    rest = ", ".join(map(printable, sorted(members.keys() - read)))
    notes = tuple(filter(None, (axes, f"Arrays that are not read: {rest}." if rest else "")))
    return Stored(pixels, values, reading, span, apart, class_names, notes)


def _count_last(shape: tuple[int, ...], labels: int) -> tuple[bool, str]:
    """Whether the last axis of images counts them, as MATLAB writes them, and a sentence where that is worth one.

    Args:
        labels: how many there are; 0 where there are none.
    """
    *inner, last = shape
    taken = f"An array of shape {list(shape)} is taken for"
    sides = len(inner) >= 2 and min(inner[:2]) >= _SMALL
    if len(inner) == 3 and sides and inner[2] in (1, 3, 4) and last > 1:  # else pictures of that width
        return True, f"{taken} {last:,} pictures [H, W, C], which its last axis counts."
    if len(inner) != 2 or not sides or last in (3, 4) or labels == shape[0] or shape[1] == last:
        return False, ""
    first, width = inner
    if labels == last or first == width:
        return True, (
            f"{taken} {last:,} pictures of {first}×{width}, which its last axis counts; for {first:,} of "
            f"{width}×{last} reshape it to {[*shape, 1]}."
        )
    return False, (
        f"{taken} {first:,} pictures of {width}×{last}, which its first axis counts; where its last one does, move it "
        "to the front."
    )


def _keys(members: Collection[str], path: Path) -> list[list[str]]:
    """The arrays of images and, where there are some, of labels: first those to train on, then those held out."""
    known = {name.lower(): name for name in members}
    image_key, label_key = (next((key for key in keys if key in known), "") for keys in (_IMAGE_KEYS, _LABEL_KEYS))
    if not image_key:
        names = ", ".join(map(printable, members)) or "(none)"
        raise UsageError(f"{path} has arrays {names}; name the images one of {', '.join(_IMAGE_KEYS)}.")
    keys = [key for key in (image_key, label_key) if key]
    apart = [[key.replace("train", part) if "train" in key else f"{key}_{part}" for key in keys] for part in _HELD_OUT]
    return [[known[key] for key in row] for row in (keys, *apart) if all(key in known for key in row)]


def _array(file: IO[bytes], size: int, path: Path, reading: Reading) -> Array:
    """The array of an npy file of `size` bytes, whose header is believed only as far as the file reaches.

    Raises:
        ValueError: it is damaged, or holds Python objects.
        UsageError: it is far larger than the file it is in.
    """
    try:
        version = np.lib.format.read_magic(file)
    except ValueError as error:
        raise ValueError("it does not begin as an array does") from error
    if version not in _HEADERS:
        raise ValueError(f"version {version} of the format is of tables")
    shape, _, dtype = _HEADERS[version](file)
    count = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or count > size:
        raise ValueError(f"an array of shape {list(shape)} is claimed, and {size:,} bytes are there")
    _check_size(path, count, reading)
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _pixels(images: Array, path: Path, reading: Reading) -> tuple[Array, Reading, Span | None]:
    if images.ndim == 2 and images.dtype.kind == "f":
        with np.errstate(over="ignore"):
            vectors = np.asarray(images, dtype=np.float32)
        wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(wrong):
            raise UsageError(
                f"{path}, row {wrong[0]}: there is no number, or one too large to learn from; leave it out."
            )
        return vectors, reading, None
    if images.ndim == 3 and images.shape[2] in (3, 4) and min(images.shape[:2]) >= _SMALL:
        raise UsageError(
            f"{path} has one picture, of shape {list(images.shape)}; a data set is [N, H, W] or [N, H, W, C]."
        )
    if images.ndim == 2:
        width = images.shape[1]
        sides = [(channels, math.isqrt(width // channels)) for channels in (1, 3)]
        shape = next(([len(images), *[3] * (c == 3), s, s] for c, s in sides if c * s * s == width), ["N", "H", "W"])
        raise UsageError(
            f"{path} has an array of shape {list(images.shape)}; if its rows are pictures, reshape it to "
            f"[{', '.join(map(str, shape))}], and if they are points, make them floats."
        )
    if images.ndim == 3:
        images = images[..., None]
    elif images.ndim == 4 and images.shape[3] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4):
        raise UsageError(f"{path} has an array of shape {list(images.shape)}; images are [N, H, W] or [N, H, W, C].")
    if not images.size:
        raise UsageError(f"{path} has no images: its array has the shape {list(images.shape)}.")
    if images.dtype.kind not in "buif":
        raise UsageError(f"{path} has {images.size} pixels of type {images.dtype}; images are of numbers.")
    try:
        return with_levels(images, reading)
    except Unreadable as error:
        raise UsageError(f"{path} {error}.") from error


def with_levels(images: Array, reading: Reading) -> tuple[Array, Reading, Span]:
    """Pixels [N, …] of any type as bytes, by the levels given, else by the array's own; and what was stored in them.

    Of four channels the last is transparency, which has its own range; colours that nobody sees do not count.
    """
    colours, alpha = (images[..., :3], images[..., 3]) if images.shape[3:] == (4,) else (images, None)
    seen = colours if alpha is None or not alpha.any() else colours[alpha > 0]
    span = span_of(seen, wide=images.dtype != np.uint8)
    levels = reading.levels or own_levels(span)
    if images.dtype == np.uint8 and levels == BYTES:
        return np.ascontiguousarray(images), reading, span
    pixels = np.empty(images.shape, np.uint8)
    for place in range(len(images)):  # item by item, without a second array as wide as the first
        pixels[place] = to_bytes(images[place], levels)
    if alpha is not None:
        most = own_levels(replace(span_of(alpha, wide=True), low=0.0))[1]
        pixels[..., 3] = alpha if images.dtype == np.uint8 else to_bytes(alpha, (0, most))
    return pixels, replace(reading, levels=levels, of_bytes=images.dtype == np.uint8), span
