# SPDX-License-Identifier: Apache-2.0
"""Owns the text of libmartlet's export lists: martlet.map for ELF, martlet.def for Windows."""

from __future__ import annotations

import constants
import header


def version_script(api: header.Api) -> str:
    symbols = "\n".join(f"    {each.name};" for each in _sorted(api))
    return (
        f"/* SPDX-License-Identifier: Apache-2.0\n * {constants.NOTICE} */\n"
        f"MARTLET_{api.number('ABI_MAJOR')} {{\n  global:\n{symbols}\n  local:\n    *;\n}};\n"
    )


def module_definition(api: header.Api) -> str:
    symbols = "".join(f"  {each.name}\n" for each in _sorted(api))
    return (
        f"; SPDX-License-Identifier: Apache-2.0\n; {constants.NOTICE}\n"
        f"LIBRARY martlet\nEXPORTS\n{symbols}"
    )


def _sorted(api: header.Api) -> list[header.Function]:
    return sorted(api.functions, key=lambda function: function.name)
