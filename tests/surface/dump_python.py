# SPDX-License-Identifier: Apache-2.0
"""Prints the raw surface of the installed Python package, as README.md describes it."""

from __future__ import annotations

import json
import operator
from typing import Any, Dict

import martlet
from martlet import _constants, _raw, errors


def numbers() -> Dict[str, int]:
    return {
        name: value
        for name, value in vars(_constants).items()
        if name.isupper() and isinstance(value, int)
    }


def exceptions() -> Dict[str, str]:
    return {
        name: _name(type(errors.from_status(number, "a text")))
        for name, number in numbers().items()
        if name.startswith("ERR_")
    }


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def dump() -> Dict[str, Any]:
    functions, instead = _raw.c_functions(), _raw.c_functions_replaced()
    for names in [*functions.values(), *(each["raw"] for each in instead.values())]:
        for name in names:
            operator.attrgetter(name)(_raw)  # Raises where the table names what is not there.
    return {
        "language": "python",
        "version": martlet.__version__,
        "functions": functions,
        "instead": instead,
        "exceptions": exceptions(),
        "base_exception": _name(errors.Error),
        "numbers": numbers(),
    }


if __name__ == "__main__":
    print(json.dumps(dump(), indent=1))
