// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Goal: what README.md shows of the package runs as it is written. Method: the page has its text
 * from here (tools/guide_snippets.py); what it prints is caught.
 */
class ReadmeTest {
    private static void program() throws InterruptedException {
        // guide: begin
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            connection.createDispatcher(message -> message.respond("hello".getBytes()))
                    .subscribe("greet.*");
            Message answer = connection.request("greet.joe", null, Duration.ofSeconds(5));
            System.out.println(answer.getText());
        }
        // guide: end
    }

    @Test
    void theProgramPrintsItsAnswer() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(printed, true));
        try {
            program();
        } finally {
            System.setOut(before);
        }
        assertEquals("hello" + System.lineSeparator(), printed.toString());
    }
}
