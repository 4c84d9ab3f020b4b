"""Torchvision's data sets: fetched by torchvision, then kept as one zip of PNG files that is read like any other."""

from __future__ import annotations

import inspect
import io
import json
import re
import sys
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from PIL import Image

from ganzoo.api import Fetched, GanzooError, Report, Scheme, UsageError, home, locked, make_folder, replaced, suggest


class Torchvision(Scheme):
    """``torchvision://NAME``, as the class in ``torchvision.datasets`` is called."""

    def fetch(self, address: str, file: str, report: Report) -> Fetched:
        name = address.partition("://")[2]
        return Fetched(fetch(name, report), address, f"torchvision's {name}")


def fetch(name: str, report: Report, called: str = "NAME") -> Path:
    """The training images of ``torchvision.datasets.<name>`` as a zip file, made on first use.

    Args:
        called: the data set's name in ganzoo, for what an error says to type.
    Raises:
        UsageError: torchvision has no such set, or it cannot be downloaded by itself.
        GanzooError: the download fails.
    """
    folder = home() / "downloads" / "torchvision"
    path = folder / f"{name}.zip"
    if path.exists():
        return path
    cls = _dataset_class(name)
    make_folder(folder)
    with locked(folder / f"{name}.lock", lambda: report(f"Waiting for another download of {name}", 0, 0)):
        if not path.exists():
            report(f"Fetching {name} with torchvision", 0, 0)
            _write_zip(_downloaded(cls, name, folder / "files", called), path, name, report)
    return path


def _dataset_class(name: str) -> type:
    from torchvision import datasets

    known = {
        key: value
        for key, value in vars(datasets).items()
        if isinstance(value, type) and "download" in inspect.signature(value).parameters
    }
    if name in known:
        return known[name]
    if hasattr(datasets, name):
        raise UsageError(f"torchvision's {name} does not download anything; give the folder of images itself.")
    raise UsageError(f"torchvision has no data set {name!r}; {suggest(name, known)}")


def _downloaded(cls: type, name: str, root: Path, called: str) -> Any:
    options: dict[str, Any] = {"root": str(root), "download": True}
    if "train" in inspect.signature(cls).parameters:
        options["train"] = True
    try:
        with redirect_stdout(sys.stderr):  # standard output is for what was asked
            return cls(**options)
    except TypeError as error:
        raise UsageError(f"torchvision's {name} needs options that ganzoo does not give: {error}.") from error
    except Exception as error:  # whatever went wrong in the download or in unpacking it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GanzooError(
            f"torchvision cannot fetch {name} ({reason[:200].rstrip('.')}); check the network, or download the data "
            f"elsewhere and type: ganzoo data add {called} FOLDER"
        ) from error


def _write_zip(dataset: Any, path: Path, name: str, report: Report) -> None:
    """Write images and labels, whole or not at all."""
    labels: list[tuple[str, int]] = []
    with replaced(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
        for index in range(len(dataset)):
            image, label = dataset[index]
            if not isinstance(image, Image.Image):
                raise UsageError(f"torchvision's {name} is not a set of images.")
            member = f"{index:07d}.png"
            buffer = io.BytesIO()
            (image.convert("RGB") if image.mode == "CMYK" else image).save(buffer, "PNG", compress_level=1)
            file.writestr(member, buffer.getvalue())
            if isinstance(label, int):
                labels.append((member, label))
            report(f"Keeping {name}", index + 1, len(dataset))
        if len(labels) == len(dataset):
            classes = [re.sub(r"^(\d+) - .*", r"\1", str(word)) for word in getattr(dataset, "classes", [])]
            file.writestr("dataset.json", json.dumps({"labels": labels, "classes": classes}))
