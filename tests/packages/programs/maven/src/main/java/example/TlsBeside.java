// SPDX-License-Identifier: Apache-2.0
package example;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.martlet.Connection;
import io.martlet.Nats;
import io.martlet.Options;
import io.martlet.Server;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The TLS of Java beside ours: see tests/packages/host_tls.py. */
public final class TlsBeside {
    private static final char[] OF_KEYS = "loopback".toCharArray();
    private static final Duration LONGEST = Duration.ofSeconds(60);

    private final SSLContext context;
    private final HttpsServer web;
    private int pages;
    private int logins;

    private TlsBeside(Path folder, String trusted) throws Exception {
        context = contextOf(folder.resolve("server.p12"), folder.resolve(trusted + ".pem"));
        web = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        web.setHttpsConfigurator(new HttpsConfigurator(context));
        web.createContext("/", exchange -> {
            byte[] answer = ("answer to " + exchange.getRequestURI()).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        web.start();
    }

    public static void main(String[] words) throws Exception {
        Path folder = Path.of(words[0]);
        TlsBeside program = new TlsBeside(folder, words[1]);
        try {
            program.run(folder, words[2]);
        } finally {
            program.web.stop(0);
        }
    }

    private void run(Path folder, String password) throws Exception {
        for (int number = 0; number < 5; number++) {
            ask(number).get();
        }
        try (Server hashed = start(folder.resolve("hashed.conf"));
                Server plain = start(folder.resolve("plain.conf"))) {
            for (int number = 0; number < 20; number++) {
                CompletableFuture<Void> asked = ask(number);
                logIn(hashed, password);
                logIn(plain, "as it is");
                asked.get();
            }
        }
        for (int number = 0; number < 5; number++) {
            ask(number).get();
        }
        System.out.println(pages + " pages, " + logins + " logins");
    }

    /** A page by a client of its own, which shakes hands. */
    private CompletableFuture<Void> ask(int number) {
        URI page = URI.create("https://127.0.0.1:" + web.getAddress().getPort() + "/" + number);
        HttpClient client =
                HttpClient.newBuilder().sslContext(context).connectTimeout(LONGEST).build();
        HttpRequest request = HttpRequest.newBuilder(page).timeout(LONGEST).build();
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenAccept(answer -> {
                    if (!answer.body().equals("answer to /" + number)) {
                        throw new IllegalStateException("another page: " + answer.body());
                    }
                    pages++;
                });
    }

    private static Server start(Path configuration) throws Exception {
        return Server.builder().configuration(Files.readString(configuration)).start();
    }

    private void logIn(Server server, String password) throws Exception {
        Options options = Options.builder().server(server.getUrl()).userInfo("u", password)
                .connectionTimeout(LONGEST).build();
        try (Connection connection = Nats.connect(options)) {
            connection.flush(LONGEST);
        }
        logins++;
    }

    private static SSLContext contextOf(Path own, Path trusted) throws Exception {
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(KeyStore.getInstance(own.toFile(), OF_KEYS), OF_KEYS);
        KeyStore known = KeyStore.getInstance("PKCS12");
        known.load(null, null);
        try (InputStream file = Files.newInputStream(trusted)) {
            known.setCertificateEntry(
                    "trusted", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(known);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
