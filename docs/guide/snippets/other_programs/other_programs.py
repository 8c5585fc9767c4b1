# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet

ann = {"user": "ann", "password": "secret"}

with martlet.Server(**ann) as server, martlet.connect(server, **ann) as inside:
    greetings = inside.subscribe("greet")
    inside.flush()  # The broker knows of the subscription.

    # Any client of NATS, in any program: here one of ours, over TCP.
    with martlet.connect(server.url, **ann) as outside:
        outside.publish("greet", b"hello")
    print("from outside:", greetings.next_msg(timeout=5).data.decode())

    try:
        martlet.connect(server.url)
    except martlet.errors.AuthorizationError:
        print("refused without a password")
# guide: end
