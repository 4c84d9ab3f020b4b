"""Images in arrays: MNIST's idx files, and npz files."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ganzoo.data.images import Reading, Unreadable
from ganzoo.data.levels import BYTES, own_levels, span_of, to_bytes
from ganzoo.errors import GanzooError, UsageError

Array = npt.NDArray[Any]

_IMAGE_KEYS = ("images", "x_train", "x", "data", "arr_0")
_LABEL_KEYS = ("labels", "y_train", "y", "arr_1")


def read_idx(path: Path) -> Array:
    """The unsigned bytes of an idx file, gzipped or not: images [N, H, W] or labels [N].

    Raises:
        GanzooError: it is no such file, or cut short.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise GanzooError(f"Cannot read {path} ({error}); it may be damaged or cut short.") from error
    if data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise UsageError(f"{path} is not an idx file of unsigned bytes, MNIST's own format.")
    shape = tuple(int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(data[3]))
    start = 4 + 4 * data[3]
    if len(data) - start != math.prod(shape):
        raise GanzooError(f"{path} should hold {math.prod(shape)} bytes of data and holds {len(data) - start}.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def idx_in(folder: Path) -> Path | None:
    """The file of images in a folder of idx files, the training ones first; None when it has none."""
    found = sorted(path for path in folder.rglob("*images*idx3*") if path.is_file())
    train = [path for path in found if path.name.startswith("train")]
    return next(iter(train or found), None)


def idx_labels(images: Path) -> Path | None:
    """The labels beside a file of idx images; None when there are none."""
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    if name == images.name:
        return None
    stem = name.removesuffix(".gz")
    return next((path for path in (images.with_name(stem), images.with_name(stem + ".gz")) if path.is_file()), None)


def read_npz(path: Path, reading: Reading) -> tuple[Array, Array | None, Reading]:
    """Images (or vectors) and labels of an npz file.

    Returns:
        uint8 [N, H, W, C] or float32 vectors [N, D], labels [N] or [N, K] or None, and how pixels were read.
    Raises:
        GanzooError: it cannot be read, or its arrays are not images.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            image_key = next((key for key in _IMAGE_KEYS if key in file), None)
            label_key = next((key for key in _LABEL_KEYS if key in file), None)
            if image_key is None:
                raise UsageError(
                    f"{path} has arrays {', '.join(file.files) or '(none)'}; name the images one of "
                    f"{', '.join(_IMAGE_KEYS)}."
                )
            images, labels = file[image_key], None if label_key is None else file[label_key]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise GanzooError(f"Cannot read {path} ({error}); arrays must be plain, without Python objects.") from error
    if labels is not None:
        if labels.ndim not in (1, 2) or len(labels) != len(images):
            raise UsageError(f"{path} should have one label for each of its {len(images)} images, or a row of them.")
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
    pixels, reading = _pixels(images, path, reading)
    return pixels, labels, reading


def _pixels(images: Array, path: Path, reading: Reading) -> tuple[Array, Reading]:
    if images.ndim == 2 and images.dtype.kind == "f":
        return np.asarray(images, dtype=np.float32), reading
    if images.ndim == 3:
        images = images[..., None]
    elif images.ndim == 4 and images.shape[3] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4):
        raise UsageError(f"{path} has an array of shape {list(images.shape)}; images are [N, H, W] or [N, H, W, C].")
    if images.dtype.kind not in "buif" or not images.size:
        raise UsageError(f"{path} has {images.size} pixels of type {images.dtype}; images are of numbers.")
    try:
        return with_levels(images, reading)
    except Unreadable as error:
        raise UsageError(f"{path} {error}.") from error


def with_levels(images: Array, reading: Reading) -> tuple[Array, Reading]:
    """Pixels [N, …] of any type as bytes, and how they were read: by the levels given, else by the array's own."""
    span = span_of(images, wide=images.dtype != np.uint8)
    levels = reading.levels or own_levels(span)
    if images.dtype == np.uint8 and levels == BYTES:
        return np.ascontiguousarray(images), reading
    pixels = np.empty(images.shape, np.uint8)
    for place in range(len(images)):  # item by item, without a second array as wide as the first
        pixels[place] = to_bytes(images[place], levels)
    return pixels, replace(reading, levels=levels)
