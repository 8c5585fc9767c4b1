# SPDX-License-Identifier: Apache-2.0
# guide: begin
import martlet

done = []
seen = []

with martlet.Server() as server, martlet.connect(server) as connection:
    for _ in range(2):
        connection.subscribe("jobs", queue="workers", cb=lambda job: done.append(job.data.decode()))
    connection.subscribe("jobs", cb=lambda job: seen.append(job.data.decode()))
    for number in range(6):
        connection.publish("jobs", str(number).encode())
    connection.drain()

print("workers did:", *sorted(done))
print("audit saw:", *sorted(seen))
# guide: end
