# SPDX-License-Identifier: Apache-2.0
"""Whether the TLS of a host works beside ours: the keys, and the judge of the programs called
tls_beside (programs/), which are one in each language.

    PROGRAM FOLDER TRUSTED PASSWORD

Such a program is an HTTPS server and its clients, one handshake for each page, who trust
FOLDER/TRUSTED.pem alone. It gets pages before a broker of ours is there, while clients log in to
two of them – one has a bcrypt hash and is told that PASSWORD, one has a plain password, which goes
through OpenSSL – and after their end; then it says how many it got. What is refused ends it with
the host's or our error.
"""

import re
import subprocess

# Of "secret".
HASH = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
PASSWORD = "secret"
BROKER = 'listen: "127.0.0.1:-1"\nauthorization {{user: u, password: "{}"}}\n'
TOLD = "30 pages, 40 logins"
SECONDS_MAX = 60


def make_keys(folder):
    """In that folder: the server's key in the forms that the languages read, the certificate of a
    stranger with the same names, and the brokers' configurations."""
    for name in ("server", "stranger"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    # In the only form that .NET, mono and Java all read.
    openssl(folder, "pkcs12", "-export", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES",
            "-macalg", "sha1", "-passout", "pass:loopback", "-inkey", "server.key",
            "-in", "server.pem", "-out", "server.p12")  # fmt: skip
    for name, word in (("hashed", HASH), ("plain", "as it is")):
        (folder / f"{name}.conf").write_text(BROKER.format(word))


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True,
                   timeout=SECONDS_MAX)  # fmt: skip


def judge(attempt):
    """`attempt(TRUSTED, PASSWORD)` runs a program and returns it, ended: all goes well with what is
    right, and the program sees a handshake and a login that fail."""
    done = attempt("server", PASSWORD)
    assert (done.returncode, done.stdout.splitlines()) == (0, [TOLD]), said(done)
    for words, named in (
        (("stranger", PASSWORD), r"certificate|PKIX"),
        (("server", "another"), r"Authorization\w*(Error|Exception)"),
    ):
        done = attempt(*words)
        assert done.returncode != 0 and TOLD not in done.stdout, said(done)
        assert re.search(named, done.stderr, re.IGNORECASE), said(done)


def said(done):
    return f"{done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
