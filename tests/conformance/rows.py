# SPDX-License-Identifier: Apache-2.0
#
# Owns the rule that each row of the protocol (rows.toml) has a transcript, and that no transcript
# names a row that does not exist. Does not say whether a transcript is any good.

from __future__ import annotations

import tomllib
from pathlib import Path

from transcript import Transcript, TranscriptError


def check_rows(path: Path, transcripts: list[Transcript]) -> None:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = {row for table in tables.values() for row in table}
    covered = set()
    for transcript in transcripts:
        unknown = set(transcript.covers) - rows
        if unknown:
            raise TranscriptError(f"{transcript.name}: not in {path.name}: {sorted(unknown)}")
        covered |= set(transcript.covers)
    if rows - covered:
        raise TranscriptError(f"no transcript covers {sorted(rows - covered)}")
