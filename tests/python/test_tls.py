# SPDX-License-Identifier: Apache-2.0
"""Goal: the TLS of Python works beside the library, which has an OpenSSL of its own inside,
whichever of the two is loaded first.

Method: a program with an HTTPS server of Python's, asked by Python's client, in turn with messages
of a broker that checks a bcrypt password.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

# Of "secret".
HASH = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
ORDERS = {"martlet first": "import martlet, ssl", "ssl first": "import ssl, martlet"}
PROGRAM = textwrap.dedent(
    """
    import hashlib, http.server, threading, urllib.request
    key, shown, password_hash = sys.argv[1:]

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            nc.publish("asked", self.path.encode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"answer to " + self.path.encode())

        def log_message(self, *_):
            pass

    assert hashlib.sha256(b"x").hexdigest().startswith("2d711642")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, key)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    trusting = ssl.create_default_context(cafile=shown)
    with martlet.Server(user="u", password=password_hash) as server:
        with martlet.connect(server.url, user="u", password="secret") as nc:
            sub = nc.subscribe("asked")
            for number in range(20):
                url = f"https://localhost:{web.server_port}/{number}"
                with urllib.request.urlopen(url, context=trusting, timeout=20) as answer:
                    assert answer.read() == b"answer to /%d" % number
                assert sub.next_msg(20).data == b"/%d" % number
    web.shutdown()
    print("done")
    """
)


@pytest.mark.parametrize("order", ORDERS)
def test_https_of_python_works_beside_ours(order, tmp_path):
    key, shown = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", shown],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    program = f"import sys\n{ORDERS[order]}\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program, key, shown, HASH],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
