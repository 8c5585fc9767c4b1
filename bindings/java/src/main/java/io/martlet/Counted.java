// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.util.Collections;
import java.util.Map;

/** Owns what statistics of both kinds share: values by name. */
record Counted(Map<String, Object> values) {
    Counted {
        values = Collections.unmodifiableMap(values);
    }

    /** A number; 0 if the library does not tell it. */
    long number(String name) {
        return values.get(name) instanceof Number number ? number.longValue() : 0;
    }

    /** A text; empty if the library does not tell it. */
    String text(String name) {
        return values.get(name) instanceof String text ? text : "";
    }
}
