"""The weights of frozen networks on this machine: fetched once or added by hand, checked by hash, read without running
anything."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ganzoo.catalogue.schemes import scheme_of
from ganzoo.contract.frozen import Pretrained, frozen_in
from ganzoo.contract.report import Report, silent
from ganzoo.errors import GanzooError, UsageError, suggest
from ganzoo.files import home, make_folder, replaced


def load_frozen(model: nn.Module) -> None:
    """Reads the weights of every frozen network in a model that has none yet.

    Raises: UsageError when they are not here and cannot be fetched, saying what to type; GanzooError when a file has
    another hash or is no file of weights.
    """
    for frozen in frozen_in(model):
        if not frozen.ready:
            frozen.load(read(located(frozen.weights), frozen.weights.name))


def located(weights: Pretrained, report: Report = silent) -> Path:
    """The file of these weights, fetched if need be; its hash is right. Raises: as `load_frozen`."""
    file = folder() / weights.name
    advice = f"give them with `ganzoo weights add {weights.name} FILE`"
    if not file.exists():
        if not weights.address:
            there = ", ".join(other.name for other in added())
            others = f" (added were: {there})" if there else ""
            raise UsageError(f"The weights {weights.name} are not on this machine{others}; {advice}.")
        try:
            checked = f"{weights.address}#sha256={weights.sha256}"
            return scheme_of(checked, "data").fetch(checked, "", report).path
        except GanzooError as error:
            raise UsageError(f"The weights {weights.name} cannot be fetched; {advice}. ({error})") from error
    if weights.sha256 and sha256(file) != weights.sha256.lower():
        raise GanzooError(f"{file} is not the file of {weights.name} (its SHA-256 is another); {advice}.")
    return file


def pretrained_tensors(
    weights: Pretrained, file: str | None = None, report: Report = silent
) -> tuple[dict[str, Tensor], str]:
    """Pretrained weights by name, fetched if need be, or those of a file in their place; and the file's SHA-256.

    Raises: as `load_frozen`.
    """
    place = located(weights, report) if file is None else Path(file)
    return read(place, weights.name), sha256(place)


def read(file: Path, name: str) -> dict[str, Tensor]:
    """Tensors by name, of a .safetensors file or of a checkpoint of torch, from which no code is run.

    Raises: GanzooError when it is neither.
    """
    try:
        return load_file(file)
    except SafetensorError:
        pass
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a stranger's bytes lead to; the restricted loader ran none of them
        raise GanzooError(f"The weights {name} in {file} are no file of tensors that is safe to read.") from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise GanzooError(f"The weights {name} in {file} are not tensors by name.")
    return state


def add(name: str, file: Path) -> Path:
    """Keeps a copy of a file of weights under a name. Raises: UsageError when it cannot be read or named so."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(f"Weights cannot be called {name!r}; use letters, digits, dots and hyphens.")
    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    read(file, name)
    target = make_folder(folder()) / name
    with replaced(target) as part:
        shutil.copyfile(file, part)
    return target


def added() -> list[Path]:
    """The files that were added, each called as its weights are."""
    return sorted(file for file in folder().glob("*") if not file.name.startswith("."))


def remove(name: str) -> None:
    """Deletes what was added under a name. Raises: UsageError when nothing was."""
    known = [file.name for file in added()]
    if name not in known:
        raise UsageError(f"No weights {name!r} were added; {suggest(name, known)}")
    (folder() / name).unlink()


def folder() -> Path:
    return home() / "weights"


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
