# SPDX-License-Identifier: Apache-2.0
# guide: begin
import threading

import martlet

lost = threading.Event()
back = threading.Event()

with martlet.Server() as server, martlet.connect(
    server, disconnected_cb=lost.set, reconnected_cb=back.set, reconnect_time_wait=0.05
) as connection:
    news = connection.subscribe("news")
    server.stop()
    if lost.wait(30):
        print("connection lost")
    connection.publish("news", b"sent meanwhile")  # Waits in a buffer.
    server.start()
    if back.wait(30):
        print("connected again")
    print("news:", news.next_msg(timeout=5).data.decode())
    print("reconnects:", connection.stats["reconnects"])
# guide: end
