# SPDX-License-Identifier: Apache-2.0
"""What `./dev docs` changes in a page before MkDocs reads it (mkdocs.yml).

Owns: tabs out of the folded parts that the guide shows its languages in, and links that leave
docs/: a rendered page has nothing there to lead to, so their text stays. Promises: a page means the
same with and without it. Whether links lead anywhere is tools/tidy.py's to say.
"""

from __future__ import annotations

import posixpath
import re
import textwrap

FOLDED = re.compile(r"^<details>\n<summary>(.*?)</summary>\n(.*?)^</details>$", re.M | re.S)
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def with_tabs(markdown: str) -> str:
    """Folded parts as blocks of pymdownx.tabbed; those that follow each other become one group."""

    def tab(match: re.Match[str]) -> str:
        return f'=== "{match[1]}"\n\n{textwrap.indent(match[2].strip(chr(10)), "    ")}\n'

    return FOLDED.sub(tab, markdown)


def without_outer_links(markdown: str, page: str) -> str:
    """`page` is its path below docs/."""

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), match["target"]))
        return match["text"] if target.startswith("..") else match[0]

    return LINK.sub(link, markdown)


def on_page_markdown(markdown: str, *, page, config, files) -> str:
    """Called by MkDocs for each page."""
    return without_outer_links(with_tabs(markdown), page.file.src_uri)
