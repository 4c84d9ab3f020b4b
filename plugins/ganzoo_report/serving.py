"""Where a page is served and what its user is told. This module is public: other plugins may import it."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from typing import TypeVar

from ganzoo.api import UsageError

T = TypeVar("T")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address of its own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(listen: Callable[[int], T], host: str, port: int | None, usual: Sequence[int]) -> T:
    """What `listen` gives for the port asked for, or for the first of the usual ones that is free.

    Raises: UsageError when the port is taken, none is free, or there is no such address here.
    """
    for number in usual if port is None else (port,):
        try:
            return listen(number)
        except (OSError, UnicodeError) as error:
            code = getattr(error, "errno", None)
            if code == errno.EACCES:
                raise UsageError(
                    f"Port {number} is only for the system’s own programs; choose one above 1023."
                ) from error
            if code != errno.EADDRINUSE:
                raise UsageError(f"--host {host} is no address of this machine ({error}); leave it out.") from error
    if port is None:
        raise UsageError(f"Ports {usual[0]} to {usual[-1]} are all taken; say a free one, such as --port 0 for any.")
    raise UsageError(f"Port {port} is taken by another program; leave --port out for the next free one.")


def say_where(say: Callable[[str], None], what: str, host: str, port: int) -> None:
    """The address, and how to reach it from where the user sits."""
    name = f"[{host}]" if ":" in host else host
    say(f"{what}: http://{name}:{port}/ (Ctrl-C ends it)")
    if os.environ.get("SSH_CONNECTION") and is_loopback(host):
        say(f"On your own machine: ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}")
    if "COLAB_RELEASE_TAG" in os.environ:
        say(f"In a cell: from google.colab import output; output.serve_kernel_port_as_iframe({port})")
