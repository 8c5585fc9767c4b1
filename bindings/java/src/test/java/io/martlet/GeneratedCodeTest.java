// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.errors.MartletException;
import io.martlet.raw.Abi;
import io.martlet.raw.Raw;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Goal: what SWIG makes has no directors and no finalizers, every function of the headers is there,
 * and every status has an exception of its own. Method: the generated files are searched, the
 * classes are asked by reflection, the headers are read.
 */
class GeneratedCodeTest {
    private static List<Path> files(Path folder, String ending) throws Exception {
        try (Stream<Path> found = Files.walk(folder)) {
            return found.filter(path -> path.toString().endsWith(ending)).toList();
        }
    }

    @Test
    void nothingIsCalledFromTheLibraryAndNothingIsFinalized() throws Exception {
        List<Path> generated = files(Path.of(System.getProperty("martlet.sources")), ".java");
        assertTrue(generated.size() >= 3, generated.toString());
        for (Path file : generated) {
            String text = Files.readString(file);
            for (String word :
                    List.of("irector", "finalize", "BigInteger", "SWIGTYPE_p", "swigCPtr")) {
                assertFalse(text.contains(word), file + " has " + word);
            }
        }
    }

    @Test
    void everyFunctionOfTheHeadersIsThere() throws Exception {
        Set<String> declared = new HashSet<>();
        Path include = Path.of(System.getProperty("martlet.top"), "capi", "include", "martlet");
        for (Path header : files(include, ".h")) {
            Matcher match =
                    Pattern.compile("^MARTLET_API[^;(]*?(martlet_\\w+)\\(", Pattern.MULTILINE)
                            .matcher(Files.readString(header));
            while (match.find()) {
                declared.add(match.group(1));
            }
        }
        Set<String> found = new HashSet<>();
        for (Method method : Raw.class.getDeclaredMethods()) {
            found.add(method.getName());
        }
        assertTrue(declared.size() > 50, declared.toString());
        assertEquals(declared, found);
    }

    @Test
    void everyStatusHasAnExceptionOfItsOwn() throws Exception {
        Set<Class<?>> kinds = new HashSet<>();
        List<Integer> statuses = new ArrayList<>();
        for (Field field : Abi.class.getDeclaredFields()) {
            if (field.getName().startsWith("ERR_")) {
                int status = field.getInt(null);
                MartletException made = MartletException.of(status, "text");
                assertNotNull(made);
                assertEquals(status, made.getStatus());
                assertEquals("text", made.getMessage());
                assertTrue(kinds.add(made.getClass()), field.getName());
                assertFalse(made.getClass() == MartletException.class, field.getName());
                statuses.add(status);
            }
        }
        assertTrue(statuses.size() >= 26, statuses.toString());
        assertSame(
                MartletException.class, MartletException.of(-9999, "a newer library's").getClass());
    }
}
