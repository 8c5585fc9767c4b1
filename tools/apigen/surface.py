# SPDX-License-Identifier: Apache-2.0
"""Owns what each language's raw layer must offer, as it follows from the C headers: the content
of tests/surface/expected_surface.json. tests/surface/README.md says what each part means.
"""

from __future__ import annotations

import json
from typing import Any

import constants
import header

NOTICE = f"{constants.NOTICE} tests/surface/README.md says how it is read."
BLOCKS = "blocks"
LANGUAGES = ("csharp", "java", "node", "python")


def expected(api: header.Api) -> dict[str, Any]:
    return {language: _of_language(api, language) for language in LANGUAGES}


def expected_text(api: header.Api) -> str:
    return json.dumps({"notice": NOTICE, "languages": expected(api)}, indent=1) + "\n"


def _of_language(api: header.Api, language: str) -> dict[str, Any]:
    found: dict[str, dict[str, str | int]] = {
        "functions": {
            function.name: BLOCKS if f"{BLOCKS}; not in a callback" in function.threads else ""
            for function in api.functions
        },
        "exceptions": {},
        "constants": {},
        "layouts": {},
    }
    in_headers = {constant.name for constant in api.constants}
    for each in constants.numbers(api):
        name = each.pascal_name if language == "csharp" else each.name
        if each.name in api.errors:
            found["exceptions"][name] = each.number
        elif each.name in in_headers:
            found["constants"][name] = each.number
        else:
            found["layouts"][name] = each.number
    return found
