// SPDX-License-Identifier: Apache-2.0
package io.martlet.raw;

import io.martlet.errors.NativeLibraryException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Owns the loading of libmartlet_java: from the file or folder that the system property {@value
 * #PATH_PROPERTY} names, or else out of the jar, by a copy in the folder for temporary files that
 * is deleted as soon as it is loaded. Does so once for each class loader; what went wrong is told
 * again to everybody who asks later.
 */
public final class NativeLibrary {
    /** The system property that names the library, or the folder that it is in. */
    public static final String PATH_PROPERTY = "martlet.library.path";

    private static final @Nullable NativeLibraryException FAILED = tryLoad();

    private NativeLibrary() {}

    /**
     * Makes sure that the library is loaded.
     *
     * @throws NativeLibraryException if it is missing, damaged, of another ABI, or may not be
     *         executed
     */
    public static void load() {
        if (FAILED != null) {
            throw new NativeLibraryException(String.valueOf(FAILED.getMessage()), FAILED);
        }
    }

    private static @Nullable NativeLibraryException tryLoad() {
        try {
            String path = System.getProperty(PATH_PROPERTY);
            if (path != null && !path.isEmpty()) {
                loadFile(named(Path.of(path)), "The property " + PATH_PROPERTY + " names it.");
            } else {
                loadFromJar();
            }
            checkAbi();
            return null;
        } catch (NativeLibraryException failure) {
            return failure;
        }
    }

    private static Path named(Path path) {
        return Files.isDirectory(path) ? path.resolve(fileName()) : path;
    }

    private static String fileName() {
        return "libmartlet_java.so";
    }

    /** Where in the jar: natives/linux-x64/libmartlet_java.so. */
    static String resourceName() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        boolean isX64 = processor.equals("amd64") || processor.equals("x86_64");
        return "natives/" + system.replace(' ', '_') + "-" + (isX64 ? "x64" : processor) + "/"
                + fileName();
    }

    private static void loadFromJar() {
        String resource = resourceName();
        Path copy = null;
        try (InputStream in = NativeLibrary.class.getResourceAsStream("/" + resource)) {
            if (in == null) {
                throw new NativeLibraryException(resource + " is not in the jar of Martlet: this"
                        + " platform has no native library there. Name one by -D" + PATH_PROPERTY
                        + "=FILE.", new IOException("no resource " + resource));
            }
            copy = Files.createTempFile("martlet", ".so");
            Files.write(copy, in.readAllBytes());
            loadFile(copy,
                    "It is the copy of " + resource + " from the jar, in the folder for temporary"
                            + (" files: set -Djava.io.tmpdir to one from which programs may be "
                               + "loaded (mounted")
                            + " without noexec), or name the library itself by -D" + PATH_PROPERTY
                            + "=FILE.");
        } catch (IOException failure) {
            throw new NativeLibraryException("the copy of " + resource + " could not be written to "
                            + (copy == null ? System.getProperty("java.io.tmpdir") : copy) + " ("
                            + failure
                            + "): set -Djava.io.tmpdir to a folder that can be written, or name"
                            + " the library by -D" + PATH_PROPERTY + "=FILE.",
                    failure);
        } finally {
            delete(copy);
        }
    }

    private static void delete(@Nullable Path copy) {
        if (copy == null) {
            return;
        }
        try {
            Files.deleteIfExists(copy);
        } catch (IOException ignored) {
            // A file that is left in the folder for temporary files hurts nobody.
        }
    }

    // The one restricted call: Java 24 and later want --enable-native-access for it.
    @SuppressWarnings({"restricted", "removal"})
    private static void loadFile(Path file, String whatToDo) {
        Path absolute = file.toAbsolutePath();
        if (!Files.exists(absolute)) {
            throw new NativeLibraryException("the native library " + absolute + " does not exist. "
                    + whatToDo, new IOException("no file " + absolute));
        }
        try {
            LibraryFile.check(absolute);
            System.load(absolute.toString());
        } catch (IOException | UnsatisfiedLinkError | IllegalCallerException failure) {
            throw new NativeLibraryException("the native library " + absolute
                            + " could not be loaded (" + failure.getMessage() + "). " + whatToDo,
                    failure);
        }
    }

    private static void checkAbi() {
        try {
            int found = Raw.martlet_abi_version();
            if (found / 1000 == Abi.ABI_MAJOR && found % 1000 >= Abi.ABI_MINOR) {
                return;
            }
            throw new NativeLibraryException("the native library has the ABI " + found / 1000 + "."
                    + found % 1000 + ", these classes need " + Abi.ABI_MAJOR + "." + Abi.ABI_MINOR
                    + ": use library and classes of one release.", new IOException("another ABI"));
        } catch (UnsatisfiedLinkError failure) {
            throw new NativeLibraryException("the native library is none of Martlet's for Java ("
                    + failure.getMessage() + "): use library and classes of one release.", failure);
        }
    }

    /**
     * The release of the library.
     *
     * @return such as 0.1.0
     */
    public static String version() {
        load();
        return new String(Raw.martlet_version_text(null), StandardCharsets.UTF_8);
    }
}
