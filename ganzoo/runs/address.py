"""Where models come from and go to: a path, or an address of a scheme that an installed plugin knows.

A file here is taken as it is, anything else is downloaded once and checked against the hash that its server states.
Only the file of weights is ever fetched, and nothing that is fetched is executed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from ganzoo.catalogue.meant import RUN, instead
from ganzoo.catalogue.schemes import scheme_of
from ganzoo.contract.report import Report, silent
from ganzoo.contract.scheme import Fetched
from ganzoo.errors import UsageError, without_login
from ganzoo.files import explained, replaced

MODEL = "model.safetensors"


def fetch(source: str | os.PathLike[str], report: Report | None = None) -> Fetched:
    """Finds a model or run, downloading it if need be: a path, ``hf://user/name[@revision]`` or a URL.

    Args:
        report: told how a download goes on.
    Raises: UsageError for an address of another kind; GanzooError when it cannot be fetched whole.
    """
    text = str(source)
    if not is_remote(text):
        return Fetched(Path(text), text)
    return scheme_of(text, "model").fetch(text, MODEL, report or silent)


def here(source: str | os.PathLike[str]) -> tuple[Path, str]:
    """A run's folder or a model's file on this machine, and what a source is called in errors, without a password.

    Raises: as `fetch`; UsageError when there is none.
    """
    path, shown = fetch(source).path, without_login(source)
    if not path.exists():
        none = f"There is no run or model {shown}; `ganzoo runs` lists the runs."
        raise UsageError(instead(RUN, shown) or none)
    return path, shown


def destination(address: str) -> Callable[[Path, str, bool], str]:
    """What publishes a folder's files at an address: ``(folder, address, private) -> where they are now``.

    Raises: UsageError when nothing can be published there, GanzooError when it is known already that it would fail.
    """
    if is_remote(address):
        scheme = scheme_of(address, "publish")
        scheme.check(address)
        return scheme.publish
    folder = Path(address)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{address} exists already and is not an empty folder; choose another.")
    return _to_folder


def is_remote(source: str | os.PathLike[str]) -> bool:
    """Whether a source is somewhere else."""
    return "://" in str(source)


def stem(source: str | os.PathLike[str]) -> str:
    """What a source is called, without folders, revision and ending."""
    if not is_remote(source):
        return Path(source).stem
    last = re.split("[?#]", str(source))[0].rstrip("/").rpartition("/")[2]
    return last.partition("@")[0].removesuffix(".safetensors")


def _to_folder(folder: Path, address: str, private: bool) -> str:
    target = Path(address)
    with explained(address, "choose another folder", UsageError):
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            with replaced(target / file.name, flush=False) as part:
                shutil.copyfile(file, part)
    return address
