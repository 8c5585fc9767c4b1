// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.martlet.errors.NativeLibraryException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: a Java program with a broker inside ends when it should, loads its native library or says
 * why not, uses JNI as it must be used, and holds no carrier of virtual threads. Method:
 * ChildProgram in a process of its own, on this Java and on those that the variable
 * MARTLET_JAVA_HOMES names.
 */
class ProcessTest {
    private static final Path CLASSES = Path.of(System.getProperty("martlet.classes"));
    /** Longer is hanging. */
    private static final Duration ENDS_WITHIN = Duration.ofSeconds(30);
    /** What an end under load may take in the best of TRIES: others may have the machine busy. */
    private static final Duration END_MAX = Duration.ofSeconds(1);
    private static final int TRIES = 3;
    /** What a child says when its end begins: when, by the clock of all processes, and its load. */
    private static final Pattern ENDING = Pattern.compile("ending at (\\d+) under (\\d+)");
    private static final String NO_SIGNAL = "";

    @TempDir
    private Path folder;

    /** What a child printed, and how it ended. */
    private record Ended(int code, String out, String err, Duration after) {}

    static Stream<Path> javas() {
        String others = System.getenv().getOrDefault("MARTLET_JAVA_HOMES", "");
        return Stream
                .concat(Stream.of(System.getProperty("java.home")), Stream.of(others.split(":")))
                .filter(home -> !home.isEmpty())
                .map(Path::of)
                .distinct();
    }

    private static int version(Path home) throws Exception {
        String release = Files.readString(home.resolve("release"));
        return Integer.parseInt(release.replaceAll("(?s).*JAVA_VERSION=\"(\\d+).*", "$1"));
    }

    private static List<String> nativeAccess(Path home) throws Exception {
        return version(home) < 24 ? List.of()
                : List.of("--illegal-native-access=deny", "--enable-native-access=ALL-UNNAMED");
    }

    private Ended run(Path home, List<String> options, String what, String signal)
            throws Exception {
        // Whoever starts programs in the background has SIGINT ignored, and so would the child.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT",
                home.resolve("bin/java").toString(), "-Xmx512m"));
        command.addAll(options);
        command.addAll(List.of(
                "-cp", System.getProperty("java.class.path"), "io.martlet.ChildProgram", what));
        return run(command, signal, builder -> builder);
    }

    private Ended run(List<String> command, String signal, UnaryOperator<ProcessBuilder> with)
            throws Exception {
        Path err = folder.resolve("err");
        Process child = with.apply(new ProcessBuilder(command).directory(folder.toFile())
                .redirectError(err.toFile())).start();
        try {
            StringBuilder out = new StringBuilder();
            long ending = System.nanoTime();
            try (var reader = child.inputReader()) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    out.append(line).append('\n');
                    Matcher told = ENDING.matcher(line);
                    if (told.matches()) {
                        boolean byItself = signal.equals(NO_SIGNAL);
                        ending = byItself ? Long.parseLong(told.group(1)) : System.nanoTime();
                        send(child, signal);
                    }
                }
            }
            assertTrue(child.waitFor(ENDS_WITHIN.toSeconds(), TimeUnit.SECONDS), "it ends");
            Duration after = Duration.ofNanos(System.nanoTime() - ending);
            return new Ended(child.exitValue(), out.toString(), Files.readString(err), after);
        } finally {
            child.destroyForcibly();
        }
    }

    private static void send(Process child, String signal) throws Exception {
        if (!signal.equals(NO_SIGNAL)) {
            String kill = "kill -" + signal + " " + child.pid();
            assertEquals(0, new ProcessBuilder("sh", "-c", kill).start().waitFor());
        }
    }

    @ParameterizedTest
    @CsvSource({"exit, '', 3", "return, '', 0", "throw, '', 1", "wait, TERM, 143", "ask, INT, 130"})
    void aProgramUnderLoadEndsAtOnce(String what, String signal, int code) throws Exception {
        Path home = javas().findFirst().orElseThrow();
        Duration best = ENDS_WITHIN;
        for (int at = 0; at < TRIES && best.compareTo(END_MAX) > 0; at++) {
            Ended ended = run(home, List.of(), what, signal);
            assertEquals(code, ended.code, ended.err);
            Matcher told = ENDING.matcher(ended.out.strip());
            assertTrue(told.matches(), ended.out);
            assertTrue(Long.parseLong(told.group(2)) >= ChildProgram.LOAD_RATE, ended.out);
            assertEquals(what.equals("throw"), ended.err.contains("planned"), ended.err);
            assertFalse(
                    ended.err.contains("terminate called") || ended.err.contains("SIG"), ended.err);
            System.out.println("    end by " + what + " under " + told.group(2)
                    + " messages a second: " + ended.after.toMillis() + " ms");
            best = ended.after.compareTo(best) < 0 ? ended.after : best;
        }
        assertTrue(best.compareTo(END_MAX) <= 0, "it ends at once, not after " + best);
    }

    @ParameterizedTest
    @MethodSource("javas")
    void jniIsUsedAsItMustBe(Path home) throws Exception {
        List<String> options = new ArrayList<>(nativeAccess(home));
        options.add("-Xcheck:jni");
        Ended ended = run(home, options, "everything", NO_SIGNAL);
        assertEquals(0, ended.code, ended.out + ended.err);
        assertEquals("everything done\n", ended.out);
        assertEquals("", ended.err);
    }

    @ParameterizedTest
    @MethodSource("javas")
    void waitsHoldNoCarrierOfVirtualThreads(Path home) throws Exception {
        assumeTrue(version(home) >= 21, "Java " + version(home) + " has no virtual threads");
        List<String> options = new ArrayList<>(nativeAccess(home));
        options.add("-Djdk.virtualThreadScheduler.parallelism=1");
        options.add("-Djdk.virtualThreadScheduler.maxPoolSize=1");
        Ended ended = run(home, options, "virtual", NO_SIGNAL);
        assertEquals("virtual true 0\n", ended.out, ended.err);
        assertEquals("", ended.err);
        assertEquals(0, ended.code);
    }

    @ParameterizedTest
    @MethodSource("javas")
    void itIsAModule(Path home) throws Exception {
        List<String> command = new ArrayList<>(List.of(home.resolve("bin/java").toString()));
        if (version(home) >= 24) {
            command.addAll(
                    List.of("--illegal-native-access=deny", "--enable-native-access=io.martlet"));
        }
        command.addAll(List.of("--module-path", CLASSES.toString(), "--add-modules", "io.martlet",
                "--patch-module", "io.martlet=" + testClasses(), "-m",
                "io.martlet/io.martlet.ChildProgram", "load-library"));
        Ended ended = run(command, NO_SIGNAL, builder -> builder);
        assertEquals("", ended.err);
        assertTrue(ended.out.startsWith("loaded "), ended.out);
        assertEquals(0, ended.code);
    }

    /** A program with a Java of its own, of the modules that it needs and no others. */
    @ParameterizedTest
    @MethodSource("javas")
    void itCanBeLinkedIntoAnImage(Path home) throws Exception {
        assumeTrue(Files.exists(home.resolve("bin/jlink")), "this Java runs programs, it has no"
                + " jlink: " + home);
        Path image = folder.resolve("image");
        Ended linked = run(List.of(home.resolve("bin/jlink").toString(), "--module-path",
                CLASSES.toString(), "--add-modules", "io.martlet", "--output", image.toString()),
                NO_SIGNAL, builder -> builder);
        assertEquals(0, linked.code, linked.out + linked.err);
        List<String> command = new ArrayList<>(List.of(image.resolve("bin/java").toString()));
        if (version(home) >= 24) {
            command.addAll(
                    List.of("--illegal-native-access=deny", "--enable-native-access=io.martlet"));
        }
        command.addAll(List.of("--patch-module", "io.martlet=" + testClasses(), "-m",
                "io.martlet/io.martlet.ChildProgram", "load-library"));
        Ended ended = run(command, NO_SIGNAL, builder -> builder);
        assertEquals("", ended.err);
        assertTrue(ended.out.startsWith("loaded "), ended.out);
    }

    private static String testClasses() {
        return Path
                .of(ProcessTest.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }

    @Test
    void aThreadOfTheSystemIsNotVirtual() {
        assertFalse(Blocking.isVirtual());
    }

    // --- the native library ---

    private Ended load(String... options) throws Exception {
        return run(javas().findFirst().orElseThrow(), List.of(options), "load-library", NO_SIGNAL);
    }

    private static Path library() throws Exception {
        try (Stream<Path> found = Files.walk(CLASSES.resolve("natives"))) {
            return found.filter(path -> path.toString().endsWith(".so")).findFirst().orElseThrow();
        }
    }

    @Test
    void theLibraryIsLoadedFromItsCopyWhichIsDeleted() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Ended ended = load("-Djava.io.tmpdir=" + temporary);
        String version = Nats.libraryVersion();
        assertEquals("loaded " + version + "\nloaded " + version + "\n", ended.out, ended.err);
        try (Stream<Path> left = Files.list(temporary)) {
            assertEquals(List.of(), left.filter(path -> path.toString().endsWith(".so")).toList());
        }
    }

    @Test
    void theLibraryIsLoadedFromWhereThePropertySays() throws Exception {
        for (Path named : List.of(library(), library().getParent())) {
            Ended ended = load("-Dmartlet.library.path=" + named, "-Djava.io.tmpdir=/nowhere");
            assertTrue(ended.out.startsWith("loaded "), ended.out + ended.err);
        }
    }

    @Test
    void aMissingLibraryIsNamed() throws Exception {
        Path missing = folder.resolve("missing.so");
        assertRefused(
                load("-Dmartlet.library.path=" + missing), missing.toString(), "does not exist");
        assertRefused(load("-Dos.arch=z80"), "natives/linux-z80/", "-Dmartlet.library.path");
        assertRefused(load("-Djava.io.tmpdir=/nowhere"), "/nowhere", "-Djava.io.tmpdir");
    }

    @Test
    void aDamagedLibraryIsNamed() throws Exception {
        Path damaged = folder.resolve("damaged.so");
        byte[] bytes = Files.readAllBytes(library());
        Files.write(damaged, java.util.Arrays.copyOf(bytes, bytes.length / 3));
        assertRefused(load("-Dmartlet.library.path=" + damaged), damaged.toString(),
                "could not be loaded");
        Files.writeString(damaged, "no library at all");
        assertRefused(load("-Dmartlet.library.path=" + damaged), damaged.toString(),
                "could not be loaded");
    }

    @Test
    void anotherLibraryIsRefused() throws Exception {
        Path other;
        try (Stream<Path> found = Files.walk(Path.of(System.getProperty("java.home"), "lib"))) {
            other = found.filter(path -> path.endsWith("libzip.so")).findFirst().orElseThrow();
        }
        assertRefused(load("-Dmartlet.library.path=" + other), "none of Martlet's", "one release");
    }

    /** One that is made here, which has nothing but the number of its ABI. */
    @Test
    void aLibraryOfAnotherAbiIsRefused() throws Exception {
        Path source = folder.resolve("other.c");
        Path other = folder.resolve("other.so");
        Files.writeString(source, "int Java_io_martlet_raw_RawJNI_martlet_1abi_1version(void *env,"
                + " void *type) { return 99007; }\n");
        Ended made = run(List.of("cc", "-shared", "-fPIC", "-o", other.toString(),
                source.toString()), NO_SIGNAL, builder -> builder);
        assertEquals(0, made.code, made.out + made.err);
        assertRefused(
                load("-Dmartlet.library.path=" + other), "has the ABI 99.7", "one release");
    }

    /** In a namespace of its own, where it may mount: as root, or by unprivileged namespaces. */
    @Test
    void aTemporaryFolderWithoutExecutionIsNamed() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("noexec"));
        String java = javas().findFirst().orElseThrow().resolve("bin/java").toString();
        // Who is root needs no namespace of users, which is refused below a chroot.
        String enter = "[ \"$(id -u)\" = 0 ] || set -- --map-root-user \"$@\"; exec unshare \"$@\"";
        Ended allowed = run(List.of("sh", "-c", enter, "sh", "--mount", "true"), NO_SIGNAL,
                builder -> builder);
        assumeTrue(allowed.code == 0, "this machine lets nobody mount: " + allowed.err);
        List<String> command = List.of("sh", "-c", enter, "sh", "--mount", "sh", "-c",
                "mount -t tmpfs -o noexec none \"$TMP_NOEXEC\" && exec \"$@\"", "sh", java,
                "-Djava.io.tmpdir=" + temporary, "-cp", System.getProperty("java.class.path"),
                "io.martlet.ChildProgram", "load-library");
        Map<String, String> environment = Map.of("TMP_NOEXEC", temporary.toString());
        Ended ended = run(command, NO_SIGNAL, builder -> {
            builder.environment().putAll(environment);
            return builder;
        });
        assertRefused(ended, temporary.toString(), "noexec");
    }

    private static void assertRefused(Ended ended, String... words) {
        assertEquals(0, ended.code, ended.err);
        List<String> lines = ended.out.lines().toList();
        assertEquals(2, lines.size(), ended.out + ended.err);
        assertEquals(lines.get(0), lines.get(1), "the same is told again");
        assertTrue(lines.get(0).startsWith(NativeLibraryException.class.getName()), ended.out);
        for (String word : words) {
            assertTrue(lines.get(0).contains(word), word + " in " + lines.get(0));
        }
    }
}
