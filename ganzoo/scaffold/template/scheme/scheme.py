"""My scheme.

``my-scheme://NAME`` is a folder of models below ganzoo's home.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ganzoo.api import Fetched, GanzooError, Report, Scheme, UsageError, home, make_folder

PREFIX = "my-scheme://"


class MyScheme(Scheme):
    """A shelf, one folder for each name. A server of yours would check here what comes against a hash."""

    def fetch(self, address: str, file: str, report: Report) -> Fetched:
        path = shelf(address) / file
        if not path.is_file():
            raise GanzooError(f"{address} has no {file}; push a model there first.")
        return Fetched(path, address)

    def check(self, address: str) -> None:
        shelf(address)

    def publish(self, folder: Path, address: str, private: bool) -> str:
        target = make_folder(shelf(address))
        for file in folder.iterdir():
            shutil.copyfile(file, target / file.name)
        return str(target)


def shelf(address: str) -> Path:
    """Where a name's files are. Raises: UsageError for what is no name."""
    name = address.removeprefix(PREFIX)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UsageError(f"{address} names no model; write {PREFIX}NAME, with letters, digits, '-', '_' and '.'.")
    return home() / "my-scheme" / name
