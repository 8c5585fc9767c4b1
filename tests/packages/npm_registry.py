# SPDX-License-Identifier: Apache-2.0
"""A registry for npm on loopback that has the packages of some tarballs, and knows no other.

Owns: the two kinds of answers that `npm install` asks for, a package's document and its tarball.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class NpmRegistry:
    """A context manager; `url` is there inside."""

    def __init__(self, tarballs):
        self._tarballs = {path.name: path.read_bytes() for path in map(Path, tarballs)}
        self._manifests = {name: manifest_of(data) for name, data in self._tarballs.items()}

    def __enter__(self) -> NpmRegistry:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                registry._answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        name = urllib.parse.unquote(request.path.split("?")[0]).lstrip("/")
        if name.startswith("-/") and name[2:] in self._tarballs:
            return send(request, 200, "application/octet-stream", self._tarballs[name[2:]])
        document = self._document(name)
        if document is None:
            return send(request, 404, "application/json", b'{"error": "not found"}')
        return send(request, 200, "application/json", json.dumps(document).encode())

    def _document(self, name: str) -> dict | None:
        versions = {}
        for file, manifest in self._manifests.items():
            if manifest["name"] == name:
                digest = hashlib.sha512(self._tarballs[file]).digest()
                integrity = "sha512-" + base64.b64encode(digest).decode()
                dist = {"tarball": f"{self.url}-/{file}", "integrity": integrity}
                versions[manifest["version"]] = {**manifest, "dist": dist}
        if not versions:
            return None
        return {"name": name, "dist-tags": {"latest": max(versions)}, "versions": versions}


def manifest_of(tarball: bytes) -> dict:
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        return json.loads(archive.extractfile("package/package.json").read())


def send(request: BaseHTTPRequestHandler, status: int, kind: str, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
