"""The page of a run, served while it trains: by the standard library, to this machine, and nothing but the page."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ganzoo.api import GanzooError, Run, UsageError
from ganzoo_report.page import charts, gather, tell_script, whole
from ganzoo_report.serving import is_loopback, listening, say_where
from ganzoo_report.words import Html

PORT, TRIED = 8731, 20  # the first port tried, and how many
EVERY = 5.0  # seconds between two looks of the page
REST = 10.0  # seconds that a page is served before it is made anew, since that takes some of what training needs


def newest(folder: str = "runs") -> Run:
    """The run below a folder that was written to last. Raises: UsageError when there is none."""
    found = [file.parent for file in Path(folder).glob("**/run.json")]
    if not found:
        raise UsageError(f"There are no runs in {folder}; `ganzoo train dcgan anime` makes one.")
    return Run.open(max(found, key=lambda path: max(_times(path), default=0)))


def _times(path: Path) -> list[int]:
    return [file.stat().st_mtime_ns for file in (path / "run.json", path / "metrics.jsonl") if file.exists()]


class Watched:
    """A run's page as it is now, made anew when the run has gone on."""

    def __init__(self, path: Path, rest: float = REST) -> None:
        self.path, self.rest = path, rest
        self.charts = charts().encode()
        self.pictures: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._page, self._version, self._made = b"", "", -rest

    def version(self) -> str:
        """Another whenever the page may be another. Raises: GanzooError when the run is gone."""
        with self._lock:
            self._renew()
            return self._version

    def page(self) -> bytes:
        """Raises: GanzooError when the run is gone."""
        with self._lock:
            self._renew()
            return self._page

    def _renew(self) -> None:
        if time.monotonic() - self._made < self.rest:
            return
        version = _fingerprint(self.path)
        if version != self._version:
            album, stories = gather([Run.open(self.path)], full=False, quick=True)
            told = tell_script(stories, full=False)
            names = [hashlib.sha256(picture.tobytes()).hexdigest()[:32] for picture in album.pictures]
            missing = {name: album.pictures[place] for place, name in enumerate(names) if name not in self.pictures}
            new = type(album)()
            new.pictures = list(missing.values())
            self.pictures = {name: self.pictures[name] for name in names if name in self.pictures}
            self.pictures.update(zip(missing, new.encode(1 << 40), strict=True))
            told.update(version=version, every=int(EVERY * 1000), status=stories[0].run.status)
            told["pictures"] = [f"picture/{name}" for name in names]
            script = Html('<script src="charts.js"></script>')
            self._page = whole(stories, told, script, served=True).encode()
            self._version = version
        self._made = time.monotonic()


def _fingerprint(path: Path) -> str:
    """Of what the page shows, without reading it."""
    files = [
        *(path / name for name in ("run.json", "metrics.jsonl", "scores.jsonl")),
        *sorted(path.glob("samples/*.png")),
    ]
    facts = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def server(watched: Watched, host: str, port: int) -> ThreadingHTTPServer:
    """A server of the page and of what is on it, and of no file. Raises: OSError when it cannot listen there."""
    loopback = is_loopback(host)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not _may_ask(self.headers.get("Host", ""), host, loopback):
                self._answer(403, b"This address is not served here.", "text/plain")
                return
            where = self.path.partition("?")[0]
            try:
                if where == "/":
                    self._answer(200, watched.page(), "text/html; charset=utf-8")
                elif where == "/version":
                    self._answer(200, watched.version().encode(), "text/plain")
                elif where == "/charts.js":
                    self._answer(200, watched.charts, "text/javascript; charset=utf-8", keep=True)
                elif where.startswith("/picture/") and where[9:] in watched.pictures:
                    self._answer(200, watched.pictures[where[9:]], "image/webp", keep=True)
                else:
                    self._answer(404, b"There is nothing here.", "text/plain")
            except (GanzooError, OSError) as error:
                self._answer(503, str(error).encode(), "text/plain; charset=utf-8")

        do_HEAD = do_GET

        def _answer(self, code: int, content: bytes, kind: str, keep: bool = False) -> None:
            try:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "private, max-age=86400" if keep else "no-store")
                self.send_header("X-Content-Type-Options", "nosniff")
                self.send_header("X-Frame-Options", "SAMEORIGIN")
                self.send_header("Cross-Origin-Resource-Policy", "same-origin")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)
            except OSError:  # the browser has gone
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the terminal is for what a user needs."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = os.name == "posix"  # on Windows that would share a port with another program
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server((host, port), Handler)


def _may_ask(header: str, host: str, loopback: bool) -> bool:
    """Whether a request is for this server by a name of its own: a page elsewhere, whose name was made to lead here,
    says its own name. Ports may differ, since ssh forwards one to another.
    """
    name = header.rpartition(":")[0] if not header.endswith("]") and ":" in header else header
    name = name.strip("[]").lower()
    if name == "localhost" or (name and name == host.lower()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return not loopback and name == socket.gethostname().lower()
    return address.is_loopback or not loopback


def serve(run: Run, host: str, port: int | None, say: Callable[[str], None]) -> None:
    """Serves the page of a run until Ctrl-C.

    Raises: UsageError when the port is taken, none is free, or there is no such address here.
    """
    watched = Watched(run.path)
    with _listening(watched, host, port) as served:
        say(f"Making the page of {run.path} …")
        watched.page()
        say_where(say, str(run.path), host, served.server_address[1])
        try:
            served.serve_forever()
        except KeyboardInterrupt:
            say("The page is not served any more; the run itself is left as it is.")


def _listening(watched: Watched, host: str, port: int | None) -> ThreadingHTTPServer:
    return listening(partial(server, watched, host), host, port, range(PORT, PORT + TRIED))
