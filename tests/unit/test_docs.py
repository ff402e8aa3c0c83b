"""The documentation says what the code does: its links lead somewhere, and no setting, key or option is missing or made up."""

import re
from pathlib import Path
from typing import Any

import pytest

from newsletter.common.extension_registry import Registry
from newsletter.common.installed_entry_points import OWN_PACKAGE, list_entry_points
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.management.setup.questions import PROVIDER_URL
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
SWITCHES_OF_TESTS = {"NEWSLETTER_UPDATE_GOLDENS"}
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
    assert len(rows) == len(set(rows))
    assert set(rows) ^ read == set(), "Give each setting that is read one row in docs/reference/settings.md."


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_document_names_a_setting_that_is_not_read(document: Path) -> None:
    assert find_settings(document.read_text(encoding="utf-8")) <= find_settings(READ) | SWITCHES_OF_TESTS


@pytest.mark.parametrize(("table", "entry"), ENTRIES.items(), ids=str)
def test_every_key_of_the_organisation_file_is_documented(table: str, entry: type[Entry]) -> None:
    text = (ROOT / "docs/reference/organisation-file.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `\[+{table}\]+` \| (.+) \|$", text, re.MULTILINE)
    assert row
    keys = {field.alias or name for name, field in entry.model_fields.items()}
    without_values = re.sub(r"\([^)]*\)", "", row[1])
    documented = {word.split(" =")[0] for word in re.findall(r"`([^`]+)`", without_values)}
    assert documented ^ keys == set(), f"Correct the row of [{table}] in docs/reference/organisation-file.md."


def test_the_options_and_schemes_of_the_provider_url_are_all_documented() -> None:
    provider = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8").partition("## The provider")[2]
    options = re.findall(r"`([a-z_]+)=[^`]+`", provider)
    assert sorted(options) == sorted(list_options(registry.URL_RULES))
    assert sorted(re.findall(r"^\| `([a-z]+)://", provider, re.MULTILINE)) == sorted(registry.URL_RULES)


def list_own(registry: Registry[Any]) -> list[str]:
    """Return the names of our own extensions of a group."""
    return [entry.name for package, entry in list_entry_points(registry.group) if package == OWN_PACKAGE]


@pytest.mark.parametrize("document", ["README.md", "docs/how-to/set-up-reports.md", "docs/how-to/monitor.md"])
def test_every_provider_is_named_where_people_look_for_theirs(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    labels = {str(registry.ADAPTERS[name].label) for name in list_own(registry.PROVIDERS)}
    short = {label.removesuffix(" Transactional Email") for label in labels if not label.startswith("SMTP")}
    assert {label for label in short if label not in text} == set(), f"Name it in {document}."


def test_the_question_about_the_provider_shows_every_url() -> None:
    missing = [name for name in list_own(registry.PROVIDERS) if f"{name}://" not in PROVIDER_URL.help]
    assert missing == [], "Write its URL into PROVIDER_URL of newsletter/management/setup/questions.py."


def test_every_kind_of_source_is_documented() -> None:
    files = ("docs/reference/organisation-file.md", "newsletter/organisation/sample.toml")
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in files}
    kinds = list_own(SOURCE_KINDS)
    missing = {(kind, name) for kind in kinds for name, text in texts.items() if not re.search(rf"\b{kind}\b", text)}
    assert missing == set(), "Write each kind into the row of [[source]] and into the sample file."


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
