"""Keeps the C library from handing a step's memory back to the system, only to fault it in again at the next step."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

# mallopt(3): parameter -> (value while training, glibc's default)
_TUNED = {
    -4: (0, 65_536),  # M_MMAP_MAX: blocks that get pages of their own, which each free gives back
    -1: (2**31 - 1, 128 * 1024),  # M_TRIM_THRESHOLD: free bytes at the heap's top that are kept
}

_holders = 0  # how many hold it, one within the other


@contextlib.contextmanager
def memory_held() -> Iterator[None]:
    """Inside, freed memory stays with the process; afterwards what is free goes back to the system.

    With glibc's defaults a step of a DCGAN at 64×64 takes tens of thousands of page faults. Does nothing where the C
    library is another one, or where the environment already tunes it (MALLOC_…, LD_PRELOAD).
    """
    global _holders
    library = _glibc()
    if library is None:
        yield
        return
    _holders += 1
    for parameter, (held, _) in _TUNED.items():
        library.mallopt(parameter, held)
    try:
        yield
    finally:
        _holders -= 1
        if not _holders:
            for parameter, (_, default) in _TUNED.items():
                library.mallopt(parameter, default)
            library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    tuned = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")) for name in os.environ)
    if not sys.platform.startswith("linux") or tuned:
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
