# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet


def print_flight(message):
    print("of AA:", message.subject, message.data.decode())


with martlet.Server() as server, martlet.connect(server) as connection:
    # * stands for one word. This subscription ends by itself after two messages.
    arrivals = connection.subscribe("flight.*.JFK", max_msgs=2)
    connection.publish("flight.AA.JFK", b"on time")
    connection.publish("flight.AA.LAX", b"early")
    connection.publish("flight.UA.JFK", b"late")
    for message in arrivals:
        print("to JFK:", message.subject, message.data.decode())

    # > stands for all that follows. Callbacks run on a thread of the connection.
    connection.subscribe("flight.AA.>", cb=print_flight)
    connection.publish("flight.AA.JFK.gate", b"B22")
    connection.publish("flight.UA.JFK.gate", b"C9")
    connection.publish("flight.AA.LAX", b"landed")
    connection.drain()  # Ends the connection when the callback has seen everything.
# guide: end
