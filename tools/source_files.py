# SPDX-License-Identifier: Apache-2.0
"""Which files the checks of tools/ look at.

Owns: the list of files that belong to the repository, and a checker's manner of reporting.
Promises: paths are relative to the root, in order; nothing that git ignores is in it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NEVER = {".git", "build", "node_modules", "target", "__pycache__", ".venv"}


def listed(root: Path) -> list[Path]:
    """What git tracks or would add; every file where the folder is no checkout (planted tests)."""
    answer = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
    )
    if answer.returncode == 0 and (root / ".git").exists():
        names = [Path(name) for name in answer.stdout.decode().split("\0") if name]
        return sorted({name for name in names if (root / name).is_file()})
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in files if not NEVER & set(path.parts))


def report(title: str, checked: int, violations: list[str]) -> int:
    """Prints each violation and the closing line; the number of things checked is its count."""
    for violation in violations:
        print(violation)
    failed = len({violation.split(":", 1)[0] for violation in violations})
    print(f"{title}: {len(violations)} violations in {checked} files checked", file=sys.stderr)
    print(f"{max(checked - failed, 0)} passed, {failed} failed")
    return 1 if violations or not checked else 0
