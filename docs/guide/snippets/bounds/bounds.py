# SPDX-License-Identifier: Apache-2.0
# guide: begin
import itertools

import martlet

with martlet.Server() as server, martlet.connect(server) as connection:
    ticks = connection.subscribe("ticks", pending_msgs_limit=3, policy="drop_oldest")
    for tick in range(10):
        connection.publish("ticks", str(tick).encode())
    connection.flush()  # All of them have come back by now, and nobody has read.
    print(f"waiting: {ticks.pending_msgs}, lost: {ticks.dropped}")

    print("read:", *(message.data.decode() for message in itertools.islice(ticks, 3)))
    statistics = server.statistics()
    print("the broker took", statistics["in_msgs"], "and gave", statistics["out_msgs"])
# guide: end
