# SPDX-License-Identifier: Apache-2.0
"""Owns the text of tests/abi/layout_check.c, by which a compiler confirms the layouts that the
reader of the headers worked out.
"""

from __future__ import annotations

import constants
import header

HEAD = f"""/* SPDX-License-Identifier: Apache-2.0
 * {constants.NOTICE}
 *
 * Owns the compiler's word on the layouts that every language reads memory by: it compiles only
 * where they hold. */
#include <stddef.h>

#include "martlet/martlet.h"

#define STRUCT(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define FIELD(type, field, offset, bytes) \\
  FIELD_AT(type, field, offset);          \\
  FIELD_OF(type, field, bytes)
#define FIELD_AT(type, field, offset) \\
  _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define FIELD_OF(type, field, bytes) \\
  _Static_assert(sizeof(((const type*)0)->field) == (bytes), #type "." #field)
"""


def static_asserts(api: header.Api) -> str:
    parts = [HEAD]
    for struct in api.structs:
        parts.append(f"\nSTRUCT({struct.name}, {struct.bytes});\n")
        parts += [
            f"FIELD({struct.name}, {field.name}, {field.offset}, {field.bytes});\n"
            for field in struct.fields
        ]
    return "".join(parts)
