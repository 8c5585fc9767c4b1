# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet


def greet(request):
    request.respond(b"hello " + request.data)


with martlet.Server() as server, martlet.connect(server) as connection:
    connection.subscribe("greet", cb=greet)
    answer = connection.request("greet", b"Ann", timeout=5)
    print("answer:", answer.data.decode())

    try:
        connection.request("nobody", b"Ann", timeout=5)
    except martlet.errors.NoRespondersError:
        print("nobody listens")

    silent = connection.subscribe("silence")
    try:
        connection.request("silence", b"Ann", timeout=0.05)
    except martlet.errors.TimeoutError:
        print("no answer in time")
# guide: end
