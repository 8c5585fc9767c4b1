# SPDX-License-Identifier: Apache-2.0
"""Goal: what a page shows folded becomes tabs, and only links that leave docs/ lose their target.

Method: small pages in, Markdown out.
"""

import docs_pages
import pytest

FOLDED = """Before.

<details>
<summary>C++</summary>

```cpp
int main() {}
```

[The whole program](x.cpp)

</details>

<details>
<summary>Python</summary>

```python
if True:
    pass
```

</details>

After.
"""
TABS = """Before.

=== "C++"

    ```cpp
    int main() {}
    ```

    [The whole program](x.cpp)


=== "Python"

    ```python
    if True:
        pass
    ```


After.
"""


def test_folded_parts_become_tabs():
    assert docs_pages.with_tabs(FOLDED) == TABS


def test_other_text_stays_as_it_is():
    text = "# A page\n\n<p>with HTML</p>\n\n```cpp\nint x;\n```\n"
    assert docs_pages.with_tabs(text) == text


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("guide/README.md", "[a](messages.md)", "[a](messages.md)"),
        ("guide/README.md", "[a](../limits.md#the-client)", "[a](../limits.md#the-client)"),
        ("guide/README.md", "[a](../../core/LAYERS)", "a"),
        ("tour.md", "[`a`](../core/net/connection.cpp)", "`a`"),
        ("tour.md", "[a](adr/README.md) and [b](../dev)", "[a](adr/README.md) and b"),
        ("tour.md", "[a](https://example.com/x)", "[a](https://example.com/x)"),
        ("tour.md", "[a](#below)", "[a](#below)"),
    ],
)
def test_links_that_leave_the_folder(page, link, expected):
    assert docs_pages.without_outer_links(link, page) == expected
