"""Prepare the pages of the documentation's site: `scripts/docs_site/mkdocs.yml` names this file as its hook.

The documents are written as GitHub shows them. This adds the documents outside docs/, points links to where their targets are on
the site, replaces diagrams by their drawings, and indents lists as Python-Markdown reads them.
"""

import re
from hashlib import sha256
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DIAGRAMS = "images/diagrams"
OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "licence.md",
    "SECURITY.md": "security.md",
    "integrations/html/README.md": "how-to/website-html.md",
    "integrations/wagtail/README.md": "how-to/website-wagtail.md",
    "integrations/wordpress/README.md": "how-to/website-wordpress.md",
}
"""Documents outside docs/, and their pages on the site."""
_ORIGINS = {page: origin for origin, page in OUTSIDE.items()}
_FENCED = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_COMMENT = re.compile(r"^ *<!-- .*? -->\n", re.MULTILINE)
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List every page of a folder where the navigation names `folder/*`."""
    config.nav = _expand(config.nav)
    return config


def _expand(entry: object) -> object:
    if isinstance(entry, list):
        return [_expand(one) for one in entry]
    if isinstance(entry, dict):
        return {title: _expand(one) for title, one in entry.items()}
    if isinstance(entry, str) and entry.endswith("/*"):
        folder = entry.removesuffix("/*")
        return [f"{folder}/README.md", *(f"{folder}/{file.name}" for file in _list_pages(folder))]
    return entry


def _list_pages(folder: str) -> list[Path]:
    return [file for file in sorted((DOCS / folder).glob("*.md")) if file.name != "README.md"]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents outside docs/ with their pictures, and a list of the decisions."""
    for origin, page in OUTSIDE.items():
        text = (ROOT / origin).read_text(encoding="utf-8")
        if origin == "LICENSE":
            text = "# " + text.strip()
        files.append(File.generated(config, page, content=text))
    for picture in sorted(ROOT.glob("integrations/*/images/*.png")):
        path = _to_site(picture.relative_to(ROOT).as_posix())
        files.append(File.generated(config, str(path), abs_src_path=str(picture)))
    files.append(File.generated(config, "decisions/README.md", content=_list_decisions()))
    return files


def _list_decisions() -> str:
    titles = {file.name: file.read_text("utf-8").partition("\n")[0] for file in _list_pages("decisions")}
    rows = [f"- [{title.removeprefix('# ')}]({name})" for name, title in titles.items()]
    return "\n".join(
        ["# Decisions", "", "Each page gives the context, the decision and what follows from it.", "", *rows]
    )


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of a page as MkDocs and Python-Markdown read it."""
    page_path = page.file.src_uri
    text, last = "", 0
    for block in _FENCED.finditer(markdown):
        text += _show_text(markdown[last : block.start()], page_path) + _show_block(block, page_path)
        last = block.end()
    return indent_lists(text + _show_text(markdown[last:], page_path))


def _show_text(text: str, page_path: str) -> str:
    """Return text between code blocks without its comments, with links to the site's pages."""
    return point_links(_COMMENT.sub("", text), page_path)


def _show_block(block: re.Match[str], page_path: str) -> str:
    if block[2] != "mermaid":
        return block[0]
    drawing = f"{DIAGRAMS}/{name_drawing(block[3])}"
    if not (DOCS / drawing).exists():
        raise PluginError(
            f"A diagram of {page_path} is new or was changed. Draw it: python -m scripts.docs_site.draw_diagrams"
        )
    words = escape(" · ".join(dict.fromkeys(re.findall(r"[:|\[\"] ?([A-Za-z][\w ,()-]{3,})", block[3]))))
    return f'<p class="diagram"><img src="{relpath(drawing, _folder(page_path))}" alt="Diagram: {words}"></p>\n'


def name_drawing(source: str) -> str:
    """Return the file name of a diagram's drawing. A changed diagram has another name."""
    return sha256(source.encode()).hexdigest()[:12] + ".svg"


def list_diagrams() -> list[str]:
    """Return the sources of all diagrams of the documents."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(DOCS.rglob("*.md")))
    return [block[3] for text in texts for block in _FENCED.finditer(text) if block[2] == "mermaid"]


def point_links(text: str, page_path: str) -> str:
    """Point local links to the site's pages. Code that is not on the site is named, without a link."""
    origin = _ORIGINS.get(page_path, f"docs/{page_path}")

    def point(found: re.Match[str]) -> str:
        picture, label, target, anchor = found[1], found[2], found[3], found[4] or ""
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        path = _to_site(normpath(PurePosixPath(origin).parent / target) + "/" * target.endswith("/"))
        if path is None:
            return label
        return f"{picture}[{label}]({relpath(path, _folder(page_path))}{anchor})"

    return _LINK.sub(point, text)


def _to_site(path: str) -> str | None:
    """Return where a file of the repository is on the site, or None if it is not there."""
    if path in OUTSIDE:
        return OUTSIDE[path]
    if found := re.fullmatch(r"integrations/(\w+)/images/(.+)", path):
        return f"images/website/{found[1]}-{found[2]}"
    if path.startswith("docs/"):
        return path.removeprefix("docs/") + "README.md" * path.endswith("/")
    return None


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def indent_lists(text: str) -> str:
    """Indent what belongs to an item of a list by four spaces, and begin each list after an empty line."""
    lines: list[str] = []
    inside = fenced = False
    width = 0
    for line in text.split("\n"):
        if not inside and line.startswith("```"):
            fenced = not fenced
        item = None if fenced else _ITEM.match(line)
        if item:
            if not inside and lines and lines[-1].strip() and line.startswith(("- ", "* ", "1. ")):
                lines.append("")
            inside, width = True, len(item[0])
        elif inside and line.startswith(" " * width):
            line = " " * 4 + line[width:]
        elif inside and line.strip() and not line.startswith(" ") and not lines[-1].strip():
            inside = False
            fenced = line.startswith("```")
        lines.append(line)
    return "\n".join(lines)
