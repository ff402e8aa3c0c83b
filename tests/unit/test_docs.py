"""The documentation says what the code does: its links lead somewhere, and no setting, key or option is missing or made up."""

import re
from pathlib import Path

import pytest

from newsletter.organisation.schema import ENTRIES, Entry
from newsletter.providers import registry
from newsletter.providers.base.provider_url import list_options
from scripts.commands_reference import describe_commands
from scripts.sender_codes_reference import describe_codes

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    *(ROOT / name for name in ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)|(?:src|href|srcset)="([^"]+)\"""")
READ = "".join(
    (ROOT / "newsletter/project" / name).read_text(encoding="utf-8")
    for name in ("env.py", "oidc_settings.py", "inbound_settings.py", "account_settings.py")
)
_SETTING = re.compile(r"\b(?:NEWSLETTER_[A-Z_]+|DATABASE_URL)\b")


def local_links(text: str) -> list[str]:
    targets = (first or second for first, second in _LINK.findall(text))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def heading_anchors(text: str) -> set[str]:
    """Return a heading as links name it: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+\s+(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_local_link_and_picture_of_the_documentation_is_there(document: Path) -> None:
    missing = []
    for target in local_links(document.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        if not file.exists() or (anchor and anchor not in heading_anchors(file.read_text(encoding="utf-8"))):
            missing.append(target)
    assert missing == []


def test_links_are_found_in_every_form_in_which_they_are_written() -> None:
    text = '[a](one.md) ![b](two.png "title") <img src="three.png"> [c](https://example.org) [d](four.md#part)'
    assert local_links(text) == ["one.md", "two.png", "three.png", "four.md#part"]
    assert heading_anchors("# The provider\n## What's new?\n") == {"the-provider", "whats-new"}


def find_settings(text: str) -> set[str]:
    """Return the names of settings in a text. The name for a further provider account represents each of them."""
    further = re.compile(r"NEWSLETTER_PROVIDER_URL_[A-Z_]*")
    return {further.sub("NEWSLETTER_PROVIDER_URL_NAME", name) for name in _SETTING.findall(text)}


def test_the_settings_that_are_documented_are_those_that_are_read() -> None:
    read = find_settings(READ)
    rows = re.findall(
        r"^\| `([A-Z_]+)` \|", (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(read) > 5
    assert sorted(rows) == sorted(read)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_document_names_a_setting_that_is_not_read(document: Path) -> None:
    assert find_settings(document.read_text(encoding="utf-8")) <= find_settings(READ)


@pytest.mark.parametrize(("table", "entry"), ENTRIES.items(), ids=str)
def test_every_key_of_the_organisation_file_is_documented(table: str, entry: type[Entry]) -> None:
    text = (ROOT / "docs/reference/organisation-file.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `\[+{table}\]+` \| (.+) \|$", text, re.MULTILINE)
    assert row
    keys = {field.alias or name for name, field in entry.model_fields.items()}
    without_values = re.sub(r"\([^)]*\)", "", row[1])
    assert {word.split(" =")[0] for word in re.findall(r"`([^`]+)`", without_values)} == keys


def test_the_options_and_schemes_of_the_provider_url_are_all_documented() -> None:
    provider = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8").partition("## The provider")[2]
    options = re.findall(r"`([a-z_]+)=[^`]+`", provider)
    assert sorted(options) == sorted(list_options(registry.URL_RULES))
    assert sorted(re.findall(r"^\| `([a-z]+)://", provider, re.MULTILINE)) == sorted(registry.URL_RULES)


def test_the_reference_of_commands_is_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `make docs` after a change of a command."""
    monkeypatch.setenv("COLUMNS", "100")
    assert (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8") == describe_commands()


def test_the_page_of_codes_is_made_from_their_table() -> None:
    assert (ROOT / "docs/reference/sender-codes.md").read_text(encoding="utf-8") == describe_codes()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    named = re.findall(
        r"`((?:newsletter|subscribers|tests|templates|scripts|docs)/[\w/.-]*)`", document.read_text("utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_alarms_are_documented_with_the_words_that_the_program_says() -> None:
    """Staff search the page for the text of an alarm. N and … replace the parts that differ."""
    sources = "".join(
        file.read_text("utf-8") for app in ("newsletter", "subscribers") for file in (ROOT / app).rglob("*.py")
    )
    said = re.sub(r'"\s*\n\s*"', "", sources)
    rows = re.findall(r"^\| ([^|]+) \| ", (ROOT / "docs/how-to/fix-alarms.md").read_text("utf-8"), re.MULTILINE)
    others = {
        "message",
        "reason",
        "line",
        "401, 403 or 404",
        "database or disk is full",
    }  # heads, a status, SQLite's own words
    alarms = [row for row in rows if row not in others]
    assert len(alarms) > 20
    parts = [part for alarm in alarms for part in re.split(r"\bN\b|…|Everything is held: | \(.*", alarm)]
    assert [part for part in parts if part.strip(" ,") and part.strip(" ,") not in said] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda page: page.stem)
def test_each_decision_has_its_number_and_three_headings(page: Path) -> None:
    title, *headings = re.findall(r"^#+ .+$", page.read_text("utf-8"), re.MULTILINE)
    assert title.startswith(f"# {int(page.stem[:4])}. ")
    assert headings == ["## Context", "## Decision", "## Consequences"]
