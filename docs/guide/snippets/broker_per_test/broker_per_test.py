# SPDX-License-Identifier: Apache-2.0
# guide: begin
# With pytest. The fixtures are there as soon as the package is installed.
def test_a_greeting_arrives(martlet_connection):
    greetings = martlet_connection.subscribe("greet.*")
    martlet_connection.publish("greet.world", b"hello")
    assert greetings.next_msg(timeout=5).data == b"hello"


def test_each_test_has_a_broker_of_its_own(martlet_server):
    assert martlet_server.statistics()["in_msgs"] == 0
# guide: end
