"""A file on the web, downloaded once, whole and checked; a part that was cut short is gone on with."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ganzoo.api import (
    Fetched,
    GanzooError,
    Report,
    Scheme,
    UsageError,
    home,
    locked,
    make_folder,
    megabytes,
    printable,
    without_login,
)

_TIMEOUT = 30  # seconds without an answer
_BLOCK = 1 << 18  # bytes
_LOOK = 1 << 24  # bytes between looks at how much disk is left, where no size is stated
_RESERVE = 500_000_000  # bytes of disk that a download leaves free
_MANY = 100_000  # shards of one address
_PAGES = ("text/html", "application/xhtml+xml")


class Web(Scheme):
    """``http://`` and ``https://``; ``faces-{000..009}.tar`` are shards, which are kept in a folder."""

    def fetch(self, address: str, file: str, report: Report) -> Fetched:
        if not file and (shards := _shards(address)):
            folder = home() / "downloads" / hashlib.sha256(address.encode()).hexdigest()[:12]
            every = [download(shard, report, folder) for shard in shards]
            return Fetched(folder, without_login(address), f"{every[0].title} to {every[-1].title}")
        fetched = download(address, report)
        if file and not _is_model(fetched.path):
            fetched.path.unlink(missing_ok=True)
            raise GanzooError(f"What {fetched.address} answers is no model file; open the address in a browser to see.")
        return fetched


def _is_model(path: Path) -> bool:
    """Whether a file begins as safetensors do: how long its header is, and the header."""
    with path.open("rb") as file:
        start = file.read(9)
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= path.stat().st_size - 8


def _shards(address: str) -> list[str]:
    """The addresses that ``faces-{000..009}.tar`` stands for; none of another. Raises: UsageError for bad numbers."""
    match = re.fullmatch(r"([^?#]*)\{(\d{1,9})\.\.(\d{1,9})\}([^/?#]*\.tar)", address)
    if not match:
        return []
    before, first, last, after = match.groups()
    if not 0 <= int(last) - int(first) < _MANY:
        raise UsageError(f"{{{first}..{last}}} must count upwards, to {_MANY:,} shards at the most.")
    return [f"{before}{number:0{len(first)}d}{after}" for number in range(int(first), int(last) + 1)]


def _login(parts: SplitResult) -> str:
    """The header that says the name and the password in an address, as web servers ask for them; "" without any."""
    if parts.username is None:
        return ""
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(words.encode()).decode()


def download(url: str, report: Report, folder: Path | None = None) -> Fetched:
    """Download `url` once; a part that an earlier try left is gone on with when the server can tell it is the same.

    ``URL#sha256=…`` checks the file against a hash. A name and a password, ``https://NAME:PASSWORD@SERVER/FILE``, are
    told to that server and nobody else, and kept nowhere.

    Args:
        folder: where it is kept, under its own name; None among the downloads.

    Raises:
        GanzooError: it cannot be fetched whole, or has another hash.
    """
    if re.match(r"[a-z]+://[^/?#@:]*:(?!\d*[/?#])[^/?#@]*[/?#].*@", url):
        raise UsageError("In the password of an address, / ? and # are typed as %2F, %3F and %23.")
    url, _, fragment = url.partition("#")
    wanted = fragment.partition("sha256=")[2].lower()
    if fragment and not re.fullmatch("[0-9a-f]{64}", wanted):
        raise UsageError(f"After # in a URL comes sha256= and 64 hexadecimal digits, not {fragment!r}.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{printable(without_login(url))} is no address that can be asked ({error}).") from error
    shown, login = without_login(url), _login(parts)
    if not host:
        raise UsageError(f"{printable(shown)} names no server; write https://SERVER/FILE.")
    url = shown
    title = printable(Path(unquote(parts.path)).name) or host
    key = hashlib.sha256(url.encode()).hexdigest()[:12]
    plain = re.sub("[^A-Za-z0-9._-]", "_", title)[-80:]
    downloads = make_folder(home() / "downloads")
    target = make_folder(folder) / plain if folder else downloads / f"{key}-{plain}"
    with locked(downloads / f"{key}.lock", lambda: report(f"Waiting for another download of {title}", 0, 0)):
        if not target.exists() or (wanted and _sha256(target) != wanted):
            part = target.with_name(target.name + ".part")
            try:
                _fetch(url, part, title, report, login)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise GanzooError(
                    f"Cannot fetch {shown} ({_reason(error)}); check the address and the network, "
                    "or download it elsewhere and add the file."
                ) from error
            found = _sha256(part)
            if wanted and found != wanted:
                part.unlink()
                raise GanzooError(f"{shown} has the SHA-256 {found}, not {wanted}; do not use it unless you know why.")
            part.replace(target)
    return Fetched(target, shown, title, _sha256(target))


def _fetch(url: str, part: Path, title: str, report: Report, login: str = "") -> None:
    """Fetch `url` into `part`, going on where it ends if the server still has the same file."""
    mark = part.with_name(part.name + ".mark")  # what the server calls this version of the file
    request = Request(url, headers={"User-Agent": "ganzoo"})
    if login:
        request.add_unredirected_header("Authorization", login)
    start = part.stat().st_size if part.exists() and mark.exists() else 0
    if start:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", mark.read_text(encoding="ascii"))
    try:
        answer = _OPENER.open(request, timeout=_TIMEOUT)
    except HTTPError as error:
        error.close()
        mark.unlink(missing_ok=True)
        if error.code == 416 and start:  # the part is no beginning of the file that is there now
            return _fetch(url, part, title, report, login)
        raise
    with answer:
        if answer.headers.get_content_type() in _PAGES:
            raise ConnectionError("the server answers with a web page, not with a file; it may ask for a login")
        goes_on = answer.status == 206 and (answer.headers.get("Content-Range") or "").startswith(f"bytes {start}-")
        done = start if goes_on else 0
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        mark.unlink(missing_ok=True)
        said = answer.headers.get("Content-Length") or ""
        length = int(said) if re.fullmatch(r"\d{1,19}", said) else 0
        total = done + length if length else 0
        if length and length > _room(part.parent):
            raise UsageError(f"{title} needs {megabytes(length)} in {part.parent}; make room or set GANZOO_HOME.")
        with part.open("ab" if goes_on else "wb") as file:
            if version and not version.startswith("W/"):
                mark.write_text(version, encoding="ascii", errors="ignore")
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                if not length and done % _LOOK < len(block) and _room(part.parent) <= 0:
                    break
                report(f"Downloading {title}", done, total)
    if not length and _room(part.parent) <= 0:
        part.unlink()
        raise UsageError(f"{title} has no stated size and would fill the disk; make room or set GANZOO_HOME.")
    if done < total:
        raise ConnectionError(f"the connection broke after {done:,} of {total:,} bytes; try again to go on")
    mark.unlink(missing_ok=True)


def _room(folder: Path) -> int:
    """Bytes of disk that a download may take; the rest is left to others."""
    return shutil.disk_usage(folder).free - _RESERVE


class _Redirects(HTTPRedirectHandler):
    """To other web servers only, and never from a secret connection to an open one."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        kinds = ("https",) if req.type == "https" else ("https", "http")
        if urlsplit(newurl).scheme not in kinds:
            raise HTTPError(
                req.full_url, code, f"and sends on to {printable(newurl)}, which is not followed", headers, fp
            )
        onward, login = super().redirect_request(req, fp, code, msg, headers, newurl), req.get_header("Authorization")
        if onward is not None and login and urlsplit(newurl)[:2] == urlsplit(req.full_url)[:2]:
            onward.add_unredirected_header("Authorization", login)
        return onward


_OPENER = build_opener(_Redirects)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        asked = "; it asks for https://NAME:PASSWORD@SERVER/FILE" if error.code == 401 else ""
        return f"the server answers {error.code} {error.reason}{asked}"
    cause = getattr(error, "reason", None) or error
    return str(getattr(cause, "strerror", None) or cause) or type(error).__name__


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
