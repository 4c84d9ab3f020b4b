"""Where models come from and go to. What an address begins with says how: nothing, ``hf://`` or ``https://``.

A file here is taken as it is, anything else is downloaded once and checked against the hash that its server states.
Only the file of weights is ever fetched, and nothing that is fetched is executed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ganzoo.errors import UsageError, suggest

if TYPE_CHECKING:
    from ganzoo.data.source import Report

MODEL = "model.safetensors"
T = TypeVar("T")


@dataclass(frozen=True)
class Fetched:
    """A model, or a run's folder, that is on this machine now; `address` says where it came from, its revision too."""

    path: Path
    address: str


def fetch(source: str | os.PathLike[str], report: Report | None = None) -> Fetched:
    """Finds a model or run, downloading it if need be: a path, ``hf://user/name[@revision]`` or a URL.

    Args:
        report: told how a download goes on.
    Raises: UsageError for an address of another kind; GanzooError when it cannot be fetched whole.
    """
    return _by_scheme(SOURCES, str(source), "fetch from")(str(source), report)


def destination(address: str) -> Callable[[Path, str, bool], str]:
    """What publishes a folder's files at an address: ``(folder, address, private) -> where they are now``.

    Raises: UsageError when nothing can be published there, GanzooError when it is known already that it would fail.
    """
    check, publish = _by_scheme(DESTINATIONS, address, "publish at")
    check(address)
    return publish


def is_remote(source: str | os.PathLike[str]) -> bool:
    """Whether a source is somewhere else."""
    return "://" in str(source)


def stem(source: str | os.PathLike[str]) -> str:
    """What a source is called, without folders, revision and ending."""
    if not is_remote(source):
        return Path(source).stem
    last = re.split("[?#]", str(source))[0].rstrip("/").rpartition("/")[2]
    return last.partition("@")[0].removesuffix(".safetensors")


def _by_scheme(table: Mapping[str, T], address: str, doing: str) -> T:
    scheme, separator, _ = address.partition("://")
    if not separator:
        return table[""]
    if scheme not in table:
        raise UsageError(f"ganzoo cannot {doing} {scheme}:// addresses; {suggest(scheme, filter(None, table))}")
    return table[scheme]


def _here(source: str, report: Report | None) -> Fetched:
    return Fetched(Path(source), source)


def _from_hub(source: str, report: Report | None) -> Fetched:
    from ganzoo import hub

    path, address = hub.download(source, MODEL)
    return Fetched(path, address)


def _from_web(source: str, report: Report | None) -> Fetched:
    from ganzoo.data.fetch import download
    from ganzoo.data.source import silent

    place = download(source, report or silent)
    return Fetched(place.path, place.text)


def _check_folder(address: str) -> None:
    folder = Path(address)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{address} exists already and is not an empty folder; choose another.")


def _to_folder(folder: Path, address: str, private: bool) -> str:
    target = Path(address)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            (target / file.name).write_bytes(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{address} cannot be written ({error.strerror or error}); choose another folder.") from error
    return address


def _check_hub(address: str) -> None:
    from ganzoo import hub

    hub.check_login(address)


def _to_hub(folder: Path, address: str, private: bool) -> str:
    from ganzoo import hub

    return hub.upload(folder, address, private)


SOURCES: dict[str, Callable[[str, Report | None], Fetched]] = {
    "": _here, "hf": _from_hub, "https": _from_web, "http": _from_web,
}  # fmt: skip
DESTINATIONS: dict[str, tuple[Callable[[str], None], Callable[[Path, str, bool], str]]] = {
    "": (_check_folder, _to_folder),
    "hf": (_check_hub, _to_hub),
}
