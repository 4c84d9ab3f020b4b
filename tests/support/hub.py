"""A stand-in for the Hugging Face hub on this machine: the part of its HTTP API that a push and a pull use.

Files that end in .safetensors or .png are kept as LFS: uploaded apart, named by their SHA-256, and downloaded from
another address than the repository's, as there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_stand_in"
USER = "somebody"


@dataclass
class Repository:
    """`commits` are names -> files, `main` the newest; a file is its content and, kept as LFS, its stated SHA-256."""

    private: bool = False
    commits: dict[str, dict[str, tuple[bytes, str | None]]] = field(default_factory=dict)
    main: str = ""


@dataclass
class Hub:
    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)  # uploaded as LFS, by SHA-256
    asked: list[str] = field(default_factory=list)  # method and path of every request
    broken: int = 0  # status that every request is answered with, when not 0

    def files(self, name: str, revision: str | None = None) -> dict[str, bytes]:
        """What a repository holds."""
        repository = self.repositories[name]
        commit = repository.commits.get(revision or repository.main, {})
        return {path: content for path, (content, _) in commit.items()}

    def put(self, name: str, files: dict[str, bytes], stated: dict[str, str] | None = None) -> str:
        """A commit made without asking; `stated` are hashes that are said of files whatever they hold."""
        repository = self.repositories.setdefault(name, Repository())
        kept = dict(repository.commits.get(repository.main, {}))
        for path, content in files.items():
            lfs = hashlib.sha256(content).hexdigest() if _is_lfs(path) else None
            kept[path] = (content, (stated or {}).get(path, lfs))
        text = json.dumps([len(repository.commits), sorted(kept)])
        repository.main = hashlib.sha1(text.encode() + b"".join(c for c, _ in kept.values())).hexdigest()
        repository.commits[repository.main] = kept
        return repository.main


@contextmanager
def serve() -> Iterator[Hub]:
    """The hub, on a port of the loopback, for as long as it lasts."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _is_lfs(path: str) -> bool:
    return path.endswith((".safetensors", ".png"))


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else self._chunks()
        path = self.path.partition("?")[0]
        self.hub.asked.append(f"{self.command} {path}")
        if self.hub.broken:
            self._answer(self.hub.broken, {"error": "out of order"})
            return
        for method, pattern, work in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method:
                work(self, body, *match.groups())
                return
        self._answer(404, {"error": f"nothing at {path}"})

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def create(self, body: bytes) -> None:
        asked = json.loads(body)
        owner = asked.get("organization") or USER
        if not self._may_write(owner):
            return
        name = f"{owner}/{asked['name']}"
        if name in self.hub.repositories:
            self._answer(409, {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"})
            return
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self.hub.repositories[name] = Repository(private)
        self._answer(200, {"url": f"{self.hub.url}/{name}", "name": name})

    def validate(self, body: bytes) -> None:
        content = json.loads(body)["content"]
        good = re.match(r"---\n.*?\n---\n", content, re.S)
        self._answer(200 if good else 400, {"errors": [] if good else [{"message": "no YAML"}], "warnings": []})

    def preupload(self, body: bytes, name: str, revision: str) -> None:
        if self._may_write(name.partition("/")[0]):
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if _is_lfs(file["path"]) else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            self._answer(200, {"files": files})

    def batch(self, body: bytes, name: str) -> None:
        if self._may_write(name.partition("/")[0]):
            objects = [
                {
                    "oid": each["oid"],
                    "size": each["size"],
                    "actions": {
                        "upload": {"href": f"{self.hub.url}/lfs/{each['oid']}"},
                        "verify": {"href": f"{self.hub.url}/lfs/{each['oid']}/verify"},
                    },
                }
                for each in json.loads(body)["objects"]
            ]
            self._answer(200, {"transfer": "basic", "objects": objects})

    def put_object(self, body: bytes, oid: str) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._answer(400, {"error": "another hash"})
            return
        self.hub.objects[oid] = body
        self._answer(200, {})

    def verify(self, body: bytes, oid: str) -> None:
        held = self.hub.objects.get(oid)
        self._answer(200 if held is not None and len(held) == json.loads(body)["size"] else 404, {})

    def commit(self, body: bytes, name: str, revision: str) -> None:
        if not self._may_write(name.partition("/")[0]):
            return
        files: dict[str, bytes] = {}
        for line in body.splitlines():
            row = json.loads(line)
            value: Any = row["value"]
            if row["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif row["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        oid = self.hub.put(name, files)
        self._answer(200, {"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/{name}/commit/{oid}"})

    def resolve(self, body: bytes, name: str, revision: str, path: str) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self._knows_me()):
            code = 404 if self._knows_me() else 401  # there too a stranger is not told whether it exists
            self._answer(code, {"error": "no such repository"}, {"X-Error-Code": "RepoNotFound"})
            return
        commit = repository.main if revision == "main" else revision
        if commit not in repository.commits:
            self._answer(404, {"error": "no such revision"}, {"X-Error-Code": "RevisionNotFound"})
            return
        headers = {"X-Repo-Commit": commit}
        if path not in repository.commits[commit]:
            self._answer(404, {"error": "no such file"}, {**headers, "X-Error-Code": "EntryNotFound"})
            return
        content, stated = repository.commits[commit][path]
        if stated is None:
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            self._answer(200, content, {**headers, "ETag": f'"{blob}"'})
            return
        held = hashlib.sha256(content).hexdigest()
        self.hub.objects[held] = content
        linked = {"X-Linked-Etag": f'"{stated}"', "X-Linked-Size": str(len(content))}
        elsewhere = self.hub.url.replace(
            "127.0.0.1", "localhost"
        )  # another host, whose redirect a client may not follow
        self._answer(302, b"", {**headers, **linked, "Location": f"{elsewhere}/cdn/{held}"})

    def get_object(self, body: bytes, oid: str) -> None:
        self._answer(200, self.hub.objects[oid], {"ETag": f'"{oid[:32]}"'})

    def _knows_me(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _may_write(self, owner: str) -> bool:
        if not self._knows_me():
            self._answer(401, {"error": "Invalid credentials"}, {"X-Error-Message": "Invalid credentials"})
            return False
        if owner != USER:
            self._answer(403, {"error": f"You may not write to {owner}"})
            return False
        return True

    def _chunks(self) -> bytes:
        """A body that comes in pieces."""
        parts = []
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, content: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        if not isinstance(content, bytes):
            self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


NAME, REVISION = r"([\w.-]+/[\w.-]+)", r"([^/]+)"
ROUTES: tuple[tuple[tuple[str, ...], str, Any], ...] = (
    (("POST",), "/api/repos/create", Handler.create),
    (("POST",), "/api/validate-yaml", Handler.validate),
    (("POST",), f"/api/models/{NAME}/preupload/{REVISION}", Handler.preupload),
    (("POST",), rf"/{NAME}\.git/info/lfs/objects/batch", Handler.batch),
    (("PUT",), r"/lfs/(\w+)", Handler.put_object),
    (("POST",), r"/lfs/(\w+)/verify", Handler.verify),
    (("POST",), f"/api/models/{NAME}/commit/{REVISION}", Handler.commit),
    (("GET", "HEAD"), rf"/{NAME}/resolve/{REVISION}/(.+)", Handler.resolve),
    (("GET", "HEAD"), r"/cdn/(\w+)", Handler.get_object),
)
