# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet

handled = []

with martlet.Server() as server:  # Stopped at the end of the block.
    reader = martlet.connect(server)
    reader.subscribe("jobs", cb=lambda job: handled.append(job.data.decode()))
    reader.flush()
    with martlet.connect(server) as sender:  # Leaving sends everything, then closes.
        for job in (b"1", b"2", b"3"):
            sender.publish("jobs", job)

    reader.drain()  # Hands over what has come, sends what was published, then closes.
    print("handled:", *handled)
    try:
        reader.publish("jobs", b"4")
    except martlet.errors.ConnectionClosedError:
        print("closed: nothing more is taken")
# guide: end
