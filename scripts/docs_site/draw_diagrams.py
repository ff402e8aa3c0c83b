"""Draw the diagrams of the documents for the site: python -m scripts.docs_site.draw_diagrams

Needs npm, for Mermaid, and Debian's Chromium. The site then shows drawings and fetches no script from another host.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from scripts.docs_site.pages import DIAGRAMS, DOCS, list_diagrams, name_drawing

MERMAID = "mermaid@11.17.2"
DRAW = """async source => {
    const flowchart = {htmlLabels: false};
    mermaid.initialize({startOnLoad: false, theme: 'neutral', fontFamily: 'sans-serif', htmlLabels: false, flowchart});
    return (await mermaid.render('diagram', source)).svg;
}"""


def main() -> int:
    sources = {name_drawing(source): source for source in list_diagrams()}
    folder = DOCS / DIAGRAMS
    folder.mkdir(parents=True, exist_ok=True)
    for old in {file.name for file in folder.glob("*.svg")} - set(sources):
        (folder / old).unlink()
    with TemporaryDirectory() as tools, sync_playwright() as playwright:
        subprocess.run(["npm", "install", "--silent", "--prefix", tools, MERMAID], check=True)  # noqa: S603, S607
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=Path(tools) / "node_modules/mermaid/dist/mermaid.min.js")
        for name, source in sources.items():
            (folder / name).write_text(page.evaluate(DRAW, source), encoding="utf-8")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
