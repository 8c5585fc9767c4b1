// SPDX-License-Identifier: Apache-2.0
//
// Prints the raw surface of the Java package, as README.md describes it. Started as one source file,
// with the package's classes on the class path and -Dmartlet.library.path.

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

final class DumpJava {
    private static final String RAW = "io.martlet.raw.";

    public static void main(String[] arguments) throws ReflectiveOperationException {
        Class<?> natives = Class.forName(RAW + "RawJNI"); // Loads the library.
        Method fromStatus =
                Class.forName("io.martlet.errors.MartletException")
                        .getMethod("of", int.class, String.class);
        Map<String, String> functions = new TreeMap<>();
        for (Method method : natives.getDeclaredMethods()) {
            String name = method.getName();
            if (Modifier.isNative(method.getModifiers()) && name.startsWith("martlet_")) {
                functions.put(name, "[" + quoted("RawJNI." + name) + "]");
            }
        }
        Map<String, String> exceptions = new TreeMap<>();
        Map<String, String> numbers = new TreeMap<>();
        for (Field field : Class.forName(RAW + "Abi").getFields()) {
            int value = field.getInt(null);
            numbers.put(field.getName(), Integer.toString(value));
            if (field.getName().startsWith("ERR_")) {
                exceptions.put(field.getName(), quoted(kindOf(fromStatus, value)));
            }
        }
        List<String> members = new ArrayList<>();
        members.add(quoted("language") + ":" + quoted("java"));
        members.add(quoted("version") + ":" + quoted(version()));
        members.add(quoted("functions") + ":" + object(functions));
        members.add(quoted("instead") + ":{}");
        members.add(quoted("exceptions") + ":" + object(exceptions));
        members.add(quoted("base_exception") + ":" + quoted(kindOf(fromStatus, Integer.MIN_VALUE)));
        members.add(quoted("numbers") + ":" + object(numbers));
        System.out.println("{" + String.join(",", members) + "}");
    }

    private static String version() throws ReflectiveOperationException {
        return (String) Class.forName("io.martlet.Nats").getMethod("libraryVersion").invoke(null);
    }

    private static String kindOf(Method fromStatus, int status) throws ReflectiveOperationException {
        return fromStatus.invoke(null, status, "a text").getClass().getName();
    }

    private static String object(Map<String, String> members) {
        return members.entrySet().stream()
                .map(member -> quoted(member.getKey()) + ":" + member.getValue())
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
