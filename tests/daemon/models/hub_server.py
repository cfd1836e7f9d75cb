# SPDX-License-Identifier: Apache-2.0
"""A model hub on this machine: what huggingface_hub asks of one, and ways to misbehave."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"
REPOSITORY = "someone/model"
_INFO = f"/api/models/{REPOSITORY}/revision"
_BLOCK = 1 << 12


class Hub:
    """One repository at one commit; `files` by path. Safetensors lie where the hub has large files: behind a
    redirect to another host.

    Attributes:
        sent: bytes of content sent, by path.
        break_after: path -> bytes after which the connection is cut, once.
        hold_after: path -> bytes after which nothing more comes until the server ends.
        flipped: paths of which a byte is changed on the way.
        status: answer every request with this.
        requests: (method, path, headers) of each request.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.commit = COMMIT
        self.sent: Counter[str] = Counter()
        self.break_after: dict[str, int] = {}
        self.hold_after: dict[str, int] = {}
        self.flipped: set[str] = set()
        self.status: int | None = None
        self.endless: set[str] = set()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.ended = threading.Event()
        self.url = ""
        self.elsewhere = ""

    def info(self) -> dict[str, Any]:
        siblings = []
        for path, content in self.files.items():
            entry: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": git_blob(content)}
            if is_large(path):
                entry["lfs"] = {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 134,
                }
            siblings.append(entry)
        return {"id": REPOSITORY, "sha": self.commit, "siblings": siblings, "private": False, "tags": []}


def is_large(path: str) -> bool:
    return path.endswith((".safetensors", ".bin"))


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """`hub` behind `hub.url` while the block runs."""

    class Handler(_Handler):
        the_hub = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    hub.elsewhere = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    the_hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Quiet."""

    def _answer(self, body: bool) -> None:
        hub, path = self.the_hub, unquote(urlsplit(self.path).path)
        hub.requests.append((self.command, path, dict(self.headers.items())))
        if hub.status is not None:
            self._head(hub.status, {"Content-Length": "0"})
        elif path in (f"{_INFO}/{hub.commit}", f"{_INFO}/main"):
            content = json.dumps(hub.info()).encode()
            self._head(200, {"Content-Length": str(len(content)), "Content-Type": "application/json"})
            self.wfile.write(content)
        elif found := re.fullmatch(f"/{REPOSITORY}/resolve/{hub.commit}/(.+)", path):
            self._resolve(found[1], body)
        elif path.startswith("/elsewhere/"):
            self._content(path.removeprefix("/elsewhere/"), {}, body)
        else:
            code = "RevisionNotFound" if "/revision/" in path else "EntryNotFound"
            self._head(404, {"Content-Length": "0", "X-Error-Code": code})

    def _resolve(self, path: str, body: bool) -> None:
        content = self.the_hub.files.get(path)
        if content is None:
            self._head(404, {"Content-Length": "0", "X-Error-Code": "EntryNotFound"})
            return
        named = {"X-Repo-Commit": self.the_hub.commit}
        if not is_large(path):
            self._content(path, {**named, "ETag": f'"{git_blob(content)}"'}, body)
            return
        linked = {
            "X-Linked-Size": str(len(content)),
            "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
            "Location": f"{self.the_hub.elsewhere}/elsewhere/{path}",
            "Content-Length": "0",
        }
        self._head(302, {**named, **linked})

    def _content(self, path: str, headers: dict[str, str], body: bool) -> None:
        hub, content = self.the_hub, self.the_hub.files[path]
        whole, start = len(content), 0
        if path in hub.flipped:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if path in hub.endless:
            content *= 3
        if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(wanted[1])
            headers = {**headers, "Content-Range": f"bytes {start}-{whole - 1}/{whole}"}
        self._head(206 if start else 200, {**headers, "Content-Length": str(len(content) - start)})
        if not body:
            return
        for at in range(start, len(content), _BLOCK):
            if at >= hub.break_after.get(path, len(content)):
                del hub.break_after[path]
                self.close_connection = True
                return
            if at >= hub.hold_after.get(path, len(content)):
                self.wfile.flush()
                hub.ended.wait()
                self.close_connection = True
                return
            block = content[at : min(at + _BLOCK, len(content))]
            try:
                self.wfile.write(block)
            except OSError:  # the client has gone, as some tests want it to
                self.close_connection = True
                return
            hub.sent[path] += len(block)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
