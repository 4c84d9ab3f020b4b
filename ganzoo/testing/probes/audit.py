"""Reads Python's audit events: which of them write, and which reach for the network or start a program."""

from __future__ import annotations

import os
from typing import Any

NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile")
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def written(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The path of a file or folder that an event makes, changes or removes; None where it does none of it."""
    path = arguments[0] if arguments else None
    if not isinstance(path, (str, bytes, os.PathLike)) or os.fspath(path) in (os.devnull, os.fsencode(os.devnull)):
        return None
    if event in CHANGES or (event == "open" and (arguments[2] or 0) & WRITING):
        return os.fsdecode(path)
    return None


def reached(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The address of an event that reaches for the network; None for others."""
    if event not in NETWORK:
        return None
    address = arguments[0] if event in ("socket.getaddrinfo", "socket.gethostbyname") else arguments[1]
    return None if isinstance(address, (str, bytes)) and event == "socket.connect" else str(address)


def started(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The program that an event starts; None for others."""
    return os.fsdecode(arguments[0]) if event in PROGRAMS and arguments[0] is not None else None
