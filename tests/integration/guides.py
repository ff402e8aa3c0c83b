"""The blocks of code in the guides, as a reader finds them: what each is, and why a few are not run."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

DOCS = Path(__file__).parents[2] / "docs"
HOST = "newsletter@letter.example.org"
"""The account at the server of the guides. Here `ssh` to it stays on this machine."""
STAND_INS = {
    "https://crm.example.org": "{site}",
    "https://news.example.org": "{site}",
    "https://login.example.org/realms/staff": "{issuer}",
    "/srv/backups": "{folder}/backups",
    "/srv/newsletter/.passphrase": "{folder}/passphrase",
    "/opt/newsletter/bin/": "",
    "nl_…": "{key}",
    "…": "{secret}",
}
"""What a reader has elsewhere, or has to fill in, and what stands there when a guide is run on this machine."""
_BLOCK = re.compile(
    r"^(?: *<!-- Not run: (?P<why_not>.+?) -->\n)? *```(?P<language>\w+)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block of code. ``why_not`` is the reason that its guide gives for not running it, or an empty text."""

    language: str
    text: str
    why_not: str = ""

    def fill_in(self, **values: str) -> str:
        """Return the block as it is run here."""
        text = self.text
        for written, used in STAND_INS.items():
            if written in text:
                text = text.replace(written, used.format(**values))
        return text


def list_guides(*folders: str) -> list[str]:
    """Return every page of these folders of docs/."""
    return sorted(file.relative_to(DOCS).as_posix() for folder in folders for file in (DOCS / folder).glob("*.md"))


def read_guide(guide: str) -> list[Block]:
    """Return the blocks of a guide below docs/, in their order."""
    return list_blocks((DOCS / guide).read_text(encoding="utf-8"))


def list_blocks(text: str) -> list[Block]:
    return [Block(found["language"], dedent(found["text"]), found["why_not"] or "") for found in _BLOCK.finditer(text)]


def to_run(guide: str, language: str) -> list[Block]:
    """Return the blocks of one language that are run."""
    return [block for block in read_guide(guide) if block.language == language and not block.why_not]
