// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: the TLS of the program itself works beside the library, which has a TLS of its own inside.
 * Method: an HTTPS server of Java's, asked by Java's client, in turn with messages of a broker.
 */
class TlsTest {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final int ROUNDS = 50;

    @TempDir
    private Path folder;

    private SSLContext contextOfItsOwn() throws Exception {
        Path file = folder.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-keyalg", "EC", "-alias", "test", "-dname", "CN=localhost", "-ext",
                "san=dns:localhost", "-storetype", "PKCS12", "-keystore", file.toString(),
                "-storepass", new String(PASSWORD)).redirectErrorStream(true).start();
        assertTrue(keytool.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, keytool.exitValue(),
                () -> new String(readAll(keytool), StandardCharsets.UTF_8));
        KeyStore keys = KeyStore.getInstance(file.toFile(), PASSWORD);
        KeyManagerFactory own =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        TrustManagerFactory trusted =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private static byte[] readAll(Process process) {
        try {
            return process.getInputStream().readAllBytes();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Test
    void theTlsOfJavaWorksBesideTheLibrary() throws Exception {
        SSLContext context = contextOfItsOwn();
        HttpsServer web = HttpsServer.create(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        web.setHttpsConfigurator(new HttpsConfigurator(context));
        try (Server server = Server.start();
                Connection connection = Nats.connect(server.getUrl())) {
            AtomicInteger asked = new AtomicInteger();
            web.createContext("/", exchange -> {
                connection.publish("asked", exchange.getRequestURI().toString().getBytes());
                byte[] answer = ("answer " + asked.incrementAndGet()).getBytes();
                exchange.sendResponseHeaders(200, answer.length);
                exchange.getResponseBody().write(answer);
                exchange.close();
            });
            web.start();
            Subscription pages = connection.subscribe("asked");
            URI page = URI.create("https://localhost:" + web.getAddress().getPort() + "/page");
            for (int round = 1; round <= ROUNDS; round++) {
                // A client of each round's own: each shakes hands.
                HttpClient client = HttpClient.newBuilder().sslContext(context).build();
                assertEquals("answer " + round, client.send(HttpRequest.newBuilder(page).build(),
                        HttpResponse.BodyHandlers.ofString()).body());
                Message message = pages.nextMessage(SOON);
                assertEquals("/page", message == null ? null : message.getText());
            }
        } finally {
            web.stop(0);
        }
    }
}
