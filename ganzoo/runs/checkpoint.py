"""Tensors on disk: safetensors only, whole or not at all, with a checksum over everything they say.

A file holds tensors by name and one JSON object of facts. It is written to a temporary file beside it, flushed to the
disk and renamed, so that a crash leaves the old file or the new one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.contract import renamed
from ganzoo.errors import GanzooError
from ganzoo.files import cause, load_json, replaced
from ganzoo.runs.header import CheckpointHeader, ModelHeader, checkpoint_header, model_header

T = TypeVar("T")


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes tensors and facts (JSON) to `path`, atomically; the same ones give the same bytes.

    Raises: GanzooError when the disk is full or the folder cannot be written; what was there stays.
    """
    try:
        write(path, tensors, facts)
    except OSError as error:
        raise GanzooError(f"{path} could not be written: {cause(error, path.parent)}.") from error


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """As `save`. Raises: OSError."""
    ready: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        shared = tensor.data_ptr() in seen or tensor.untyped_storage().nbytes() > tensor.nbytes
        ready[name] = tensor.clone() if shared else tensor  # safetensors takes no two views of one memory
        seen.add(ready[name].data_ptr())
    text = json.dumps(facts, sort_keys=True)
    metadata = {"ganzoo": text, "sha256": _digest(ready, text)}
    with replaced(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode  # as the umask has it; safetensors makes its files private
        try:
            save_file(ready, temporary, metadata)
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            code = int(number[1]) if number else errno.EIO
            raise OSError(code, os.strerror(code), str(path)) from error
        temporary.chmod(mode)
        _sort_header(temporary)


def _sort_header(file: Path) -> None:
    """Puts the metadata's keys in order: safetensors writes them in another one each time."""
    with file.open("r+b") as opened:
        size = int.from_bytes(opened.read(8), "little")
        header = json.loads(opened.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) <= size:
            opened.seek(8)
            opened.write(text.ljust(size))


def read_facts(path: Path, called: str | None = None) -> dict[str, Any]:
    """The facts of a file that `save` wrote, without reading its tensors. Args and Raises: as `load`."""
    return _open(path, called)[0]


def read_checkpoint_header(path: Path) -> CheckpointHeader:
    """What a checkpoint says, without reading its tensors. Raises: GanzooError when it is damaged, or is none."""
    return checkpoint_header(read_facts(path), path)


def read_model_header(path: Path) -> ModelHeader:
    """What a model's file says, without reading its tensors. Raises: GanzooError when it is damaged, or is none."""
    return model_header(read_facts(path), path)


def under(prefix: str, items: Mapping[str, T]) -> dict[str, T]:
    """The items whose name begins with the prefix, by the rest of it."""
    return {name[len(prefix) :]: value for name, value in items.items() if name.startswith(prefix)}


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a file's tensors, without reading them. Raises: GanzooError when it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path) from error


def checksum(path: Path) -> str:
    """The SHA-256 in a file that `save` wrote: what its content should have. Raises: as `read_facts`."""
    return _open(path)[1].get("sha256", "")


def load(path: Path, called: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and facts of a file that `save` wrote, verified against their checksum.

    Args:
        called: what errors call it, where a user knows the file by another name than its path.
    Raises: GanzooError when it does not exist, is truncated or altered, or is not ganzoo's.
    """
    facts, metadata = _open(path, called)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, called) from error
    if _digest(tensors, metadata["ganzoo"]) != metadata.get("sha256"):
        raise damaged(path, called)
    return tensors, facts


def damaged(path: Path, called: str | None = None) -> GanzooError:
    """The error for a file that is not what was written."""
    if called is not None:
        return GanzooError(
            f"{called} is damaged or was altered: its content does not match its checksum. "
            "Do not use it; tell whoever published it."
        )
    if os.fsencode(path) != str(path).encode(errors="replace"):
        return GanzooError(f"{path} has a name that is no UTF-8, which safetensors cannot open; rename it.")
    return GanzooError(
        f"{path} is damaged: its content does not match its checksum. "
        "Delete or replace it; a run then goes on from its checkpoint before."
    )


def _open(path: Path, called: str | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    if not path.is_file():
        raise GanzooError(f"There is no file {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        if path.suffix != ".safetensors":
            raise GanzooError(
                f"{called or path} is not a safetensors file; give a run's folder or a model.safetensors."
            ) from error
        raise damaged(path, called) from error
    if "ganzoo" not in metadata:
        raise GanzooError(f"{called or path} was not written by ganzoo: its header says nothing of an architecture.")
    try:
        facts = load_json(metadata["ganzoo"])
    except ValueError as error:
        raise damaged(path, called) from error
    if not isinstance(facts, dict):
        raise damaged(path, called)
    return renamed.facts(facts), metadata


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """SHA-256 over the facts and over every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
