# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet

with martlet.Server() as server, martlet.connect(server) as connection:
    news = connection.subscribe("news")
    headers = {"Content-Type": "text/plain", "Trace": ["a", "b"]}
    connection.publish("news", b"hello", headers=headers)

    message = news.next_msg(timeout=5)
    print("Content-Type:", message.headers["Content-Type"])
    print("Trace:", ", ".join(message.headers.get_all("Trace")))
# guide: end
