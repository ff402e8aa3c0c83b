"""The documents become a site: links lead to its pages, lists are read as GitHub reads them, and nothing is fetched."""

import re
from pathlib import Path

import pytest
from lxml import html

from scripts.docs_site import pages
from tests.support.docs_site import build_site

FETCHED = (
    "//script/@src | //link[not(@rel='canonical')]/@href | //img/@src | //img/@srcset | //source/@src | //iframe/@src"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("docs") / "site")


@pytest.mark.parametrize(
    ("path", "written", "shown"),
    [
        ("how-to/install.md", "[a](../reference/settings.md#x)", "[a](../reference/settings.md#x)"),
        ("README.md", "[a](../CONTRIBUTING.md)", "[a](contributing.md)"),
        ("contributing.md", "[a](docs/how-to/translate.md)", "[a](how-to/translate.md)"),
        ("README.md", "[a](decisions/)", "[a](decisions/README.md)"),
        ("how-to/website-html.md", "![a](images/x.png)", "![a](../images/website/html-x.png)"),
        ("how-to/monitor.md", "[`code`](../../examples/monitoring)", "`code`"),
        ("how-to/monitor.md", "[a](https://example.org/b) [c](#d)", "[a](https://example.org/b) [c](#d)"),
    ],
)
def test_a_link_points_to_the_sites_page_or_names_the_file(path: str, written: str, shown: str) -> None:
    assert pages.point_links(written, path) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1. a\n\n   b", "1. a\n\n    b"),
        ("- a\n  b", "- a\n    b"),
        ("Text:\n- a", "Text:\n\n- a"),
        ("at most\n200. Then", "at most\n200. Then"),
        ("1. a\n   ```sh\n   b\n   ```\n\nc\n  d", "1. a\n    ```sh\n    b\n    ```\n\nc\n  d"),
        ("```\n- a\n  b\n```", "```\n- a\n  b\n```"),
    ],
)
def test_lists_are_indented_as_the_site_reads_them(written: str, shown: str) -> None:
    assert pages.indent_lists(written) == shown


def test_each_diagram_has_a_drawing_and_each_drawing_a_diagram() -> None:
    """After a change of a diagram: python -m scripts.docs_site.draw_diagrams"""
    drawn = {file.name for file in (pages.DOCS / pages.DIAGRAMS).glob("*.svg")}
    assert drawn == {pages.name_drawing(source) for source in pages.list_diagrams()}


@pytest.mark.long
def test_the_site_builds_without_a_warning_and_has_every_document(site: Path) -> None:
    documents = [file.relative_to(pages.DOCS) for file in pages.DOCS.rglob("*.md")]
    documents += [Path(page) for page in pages.OUTSIDE.values()]
    built = [
        file.parent / "index.html" if file.name == "README.md" else file.with_suffix(".html") for file in documents
    ]
    assert [str(file) for file in built if not (site / file).is_file()] == []


@pytest.mark.long
def test_no_page_of_the_site_names_another_host_for_what_it_loads(site: Path) -> None:
    named = {
        str(address)
        for file in site.rglob("*.html")
        for address in html.fromstring(file.read_bytes()).xpath(FETCHED)
        if re.match(r"\w+:|//", str(address)) and not str(address).startswith("data:")
    }
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert named == set()
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*", styles) == []
