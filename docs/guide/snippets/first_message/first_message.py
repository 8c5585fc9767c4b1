# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet

with martlet.Server() as server, martlet.connect(server) as connection:
    greetings = connection.subscribe("greet.*")
    connection.publish("greet.world", b"hello")
    message = greetings.next_msg(timeout=5)
    print(f"{message.subject}: {message.data.decode()}")
# guide: end
