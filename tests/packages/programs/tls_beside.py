# SPDX-License-Identifier: Apache-2.0
"""The TLS of Python beside ours: see ../host_tls.py."""

import http.server
import pathlib
import ssl
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

folder, trusted, password = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
pages = logins = 0


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"answer to " + self.path.encode())

    def log_message(self, *_):
        pass


def ask(number):
    """A handshake and a page."""
    global pages
    url = f"https://127.0.0.1:{web.server_port}/{number}"
    with urllib.request.urlopen(url, context=trusting, timeout=60) as answer:
        assert answer.read() == b"answer to /%d" % number
    pages += 1


def start(name):
    return martlet.Server(config=(folder / f"{name}.conf").read_text())


def log_in(server, word):
    global logins
    with martlet.connect(server.url, user="u", password=word, connect_timeout=60) as connection:
        connection.flush()
    logins += 1


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "server.pem", folder / "server.key")
trusting = ssl.create_default_context(cafile=folder / f"{trusted}.pem")
web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
web.socket = context.wrap_socket(web.socket, server_side=True)
threading.Thread(target=web.serve_forever, daemon=True).start()

for number in range(5):
    ask(number)
import martlet  # noqa: E402  # Python's OpenSSL is in use by now.

with start("hashed") as hashed, start("plain") as plain:
    with ThreadPoolExecutor(1) as beside:
        for number in range(20):
            asked = beside.submit(ask, number)
            log_in(hashed, password)
            log_in(plain, "as it is")
            asked.result(60)
for number in range(5):
    ask(number)
web.shutdown()
print(f"{pages} pages, {logins} logins")
