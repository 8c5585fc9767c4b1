# SPDX-License-Identifier: Apache-2.0
"""A broker inside this process, a message through it by TCP and inside; what the package says."""

import json
from importlib import metadata

import martlet

with martlet.Server() as server:
    for target in (server, server.url):
        with martlet.connect(target) as connection:
            subscription = connection.subscribe("greet.*")
            connection.publish("greet.world", b"hello")
            message = subscription.next_msg(timeout=30.0)
            assert (message.subject, message.data) == ("greet.world", b"hello")
    try:
        martlet.connect("nats://127.0.0.1:1", allow_reconnect=False)
        raise SystemExit("nobody listens there")
    except martlet.Error:
        pass
sboms = [file for file in metadata.files("martlet") if file.name == "sbom.cdx.json"]
print(
    json.dumps(
        {
            "version": martlet.__version__,
            "file": martlet._raw.__file__,
            "linked": martlet.linked_versions(),
            "sbom": json.loads(sboms[0].read_text()),
        }
    )
)
