"""What an address begins with: how such addresses are read, and published at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganzoo.contract.report import Report


@dataclass(frozen=True)
class Fetched:
    """What an address stands for, on this machine now: a file, or a folder.

    Attributes:
        address: where it came from, in full: its revision too, and no password.
        title: short and without folders, for the origin of a data set.
        sha256: of what was downloaded; "" where the scheme has checked it otherwise, or can't.
    """

    path: Path
    address: str
    title: str = ""
    sha256: str = ""


class Scheme:
    """Addresses that begin with the card's name and ``://``. A subclass, made without options, does what its card says.

    Whatever goes wrong is a `UsageError` (the address can be no such one) or a `GanzooError` (it cannot be had now), in
    one sentence. Nothing that is fetched is executed.
    """

    def fetch(self, address: str, file: str, report: Report) -> Fetched:
        """Brings what an address stands for to this machine, downloaded once and checked.

        Args:
            address: the whole of it, ``scheme://…``.
            file: the one file that is wanted of a model's repository, ``"model.safetensors"``; "" for a data set.
            report: told how a download goes on.
        """
        raise NotImplementedError

    def check(self, address: str) -> None:
        """Raises what `publish` is known to raise already, before anything is prepared."""
        raise NotImplementedError

    def publish(self, folder: Path, address: str, private: bool) -> str:
        """Publishes all files of a folder, for the user alone if `private`, and says where they are now."""
        raise NotImplementedError
