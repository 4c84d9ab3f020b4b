"""Keeps what is checked off the network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ganzoo.testing.check import NotChecked
from ganzoo.testing.probes.audit import reached

_refused: list[str] | None = None  # what was asked while nobody may; None while everybody may
_hooked = False


class Offline(OSError):
    """No network while something is checked."""


@contextmanager
def offline(reason: str) -> Iterator[None]:
    """Within it nothing of this process reaches the network.

    Raises: NotChecked with the reason, where it was tried and something failed for it.
    """
    global _refused, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    refused = _refused = []
    try:
        yield
    except Exception as error:
        if refused:
            raise NotChecked(f"It would need the network ({refused[0]}): {reason}.") from error
        raise
    finally:
        _refused = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _refused is None:
        return
    address = reached(event, arguments)
    if address is not None:
        _refused.append(address)
        raise Offline("no network while a plugin is checked")
