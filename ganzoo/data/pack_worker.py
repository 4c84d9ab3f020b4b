"""Draws rows of a pack: ``python -m ganzoo.data.pack_worker FOLDER``, with its chunks' numbers on standard input.

It answers with one line of JSON a chunk, {"done": 17}, or {"error": "…"} and ends. It imports no torch.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from ganzoo.contract.stored import from_json
from ganzoo.data.added import Added, Record
from ganzoo.data.images import Fit, Unreadable, render
from ganzoo.data.source import Source, as_image
from ganzoo.errors import GanzooError

CHUNK = 64  # items
SYNC = 0.3  # seconds between waits for the disk


@dataclass(frozen=True)
class Format:
    """What the rows of a pack are: uint8 [H, W, C] of images; when `height` is 0, float32 of the `shape`, or [C]."""

    height: int
    width: int
    channels: int
    fit: Fit = "crop"
    shape: tuple[int, ...] = ()

    @property
    def row(self) -> tuple[int, ...]:
        return (self.height, self.width, self.channels) if self.height else tuple(self.shape) or (self.channels,)

    @property
    def dtype(self) -> npt.DTypeLike:
        return np.uint8 if self.height else np.float32

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.row)) * np.dtype(self.dtype).itemsize


def draw(source: Source, index: int, form: Format) -> npt.NDArray[Any]:
    """Item `index` as a row of the pack.

    Raises:
        GanzooError: it cannot be read, though it could when the set was added, or its plugin fails.
    """
    try:
        item = source.read(index, (form.height, form.width) if form.height else None)
        if form.height:
            return render(as_image(item), (form.height, form.width), form.channels, form.fit)
        vector = np.asarray(item, dtype=np.float32)
        if vector.shape != form.row:
            raise Unreadable(f"has the shape {list(vector.shape)}, and the first one {list(form.row)}")
        return vector
    except Unreadable as reason:
        raise GanzooError(f"Item {index} {reason}; the source may have changed since it was added.") from reason
    except GanzooError:
        raise
    except Exception as error:  # a plugin may raise anything
        reason_text = " ".join(str(error).split()) or type(error).__name__
        raise GanzooError(f"Item {index} of {type(source).__name__} cannot be drawn: {reason_text}") from error


def draw_chunks(source: Source, rows: Sequence[int], chunks: Sequence[int], form: Format, path: Path) -> Iterator[int]:
    """Write chunks of the pack [N, …] at `path`, whose row i is item ``rows[i]``.

    Yields:
        The number of each chunk, once it is on the disk.
    """
    pack = np.lib.format.open_memmap(path, mode="r+")
    written: list[int] = []
    synced = time.monotonic()
    for chunk in chunks:
        start = chunk * CHUNK
        for place in range(start, min(start + CHUNK, len(rows))):
            pack[place] = draw(source, rows[place], form)
        written.append(chunk)
        if time.monotonic() > synced + SYNC:
            pack.flush()
            yield from written
            written, synced = [], time.monotonic()
    pack.flush()
    yield from written


def reopening(source: Source) -> dict[str, Any] | None:
    """How another process can open `source`, as JSON; None when it cannot, or when it would read everything first."""
    if hasattr(source, "to_reopen"):
        record = source.to_reopen()
        return record and {"record": record}
    cls = type(source)
    if not is_dataclass(source) or "." in cls.__qualname__ or not _importable(cls.__module__):
        return None
    options = {field.name: getattr(source, field.name) for field in fields(source) if field.init}
    return {"class": f"{cls.__module__}:{cls.__qualname__}", "options": options}


def reopen(made: Mapping[str, Any]) -> Source:
    """The source that `reopening` told of."""
    if "record" in made:
        return Added(from_json(Record, made["record"], "job.json", "remove its folder"))
    module, _, name = made["class"].partition(":")
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in made["options"].items()}
    source: Source = getattr(import_module(module), name)(**options)
    return source


def _importable(module: str) -> bool:
    """True when another process finds `module` by its name: not a script, a notebook or a file loaded by its path."""
    top = module.partition(".")[0]
    return top != "__main__" and any(finder.find_spec(top, None) is not None for finder in sys.meta_path)


def main(folder: Path, chunks: Sequence[int], answers: TextIO) -> None:
    """Draw `chunks` of the pack in `folder`, whose job.json says what of; a line to `answers` for each."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    source, form = reopen(job["source"]), Format(**job["format"])
    for chunk in draw_chunks(source, job["rows"], chunks, form, folder / "pack.npy"):
        print(json.dumps({"done": chunk}), file=answers, flush=True)


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr  # a plugin that prints must not garble the answers
    try:
        main(Path(sys.argv[1]), json.load(sys.stdin), answers)
    except GanzooError as error:
        print(json.dumps({"error": str(error)}), file=answers, flush=True)
    except BrokenPipeError:
        pass  # whoever asked is gone; what is done is done
