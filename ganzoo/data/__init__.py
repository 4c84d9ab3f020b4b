"""Data: named sets, the readers of what they are made of, and the packs that training gathers batches from.

Reading and packing import no torch, so that the processes which pack start fast; `prepare` and `Dataset` do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.data.dataset import Dataset as Dataset
    from ganzoo.data.dataset import prepare as prepare
    from ganzoo.data.source import Report as Report
    from ganzoo.data.source import Source as Source
    from ganzoo.data.store import Info as Info
    from ganzoo.data.store import add as add
    from ganzoo.data.store import info as info
    from ganzoo.data.store import meant as meant
    from ganzoo.data.store import names as names
    from ganzoo.data.store import open_source as open_source
    from ganzoo.data.store import remove as remove

_NAMES = {
    "dataset": ("Dataset", "prepare"),
    "source": ("Report", "Source"),
    "store": ("Info", "add", "info", "meant", "names", "open_source", "remove"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = ["Dataset", "Info", "Report", "Source", "add", "info", "meant", "names", "open_source", "prepare", "remove"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganzoo.data' has no attribute {name!r}")
    return getattr(import_module(f"ganzoo.data.{_HOMES[name]}"), name)
