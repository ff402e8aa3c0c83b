"""Applying the organisation's file: created, updated or unchanged; all or nothing; nothing deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from newsletter.common.errors import BadFile
from newsletter.demo.sample_content import write_organisation
from newsletter.models import Appeal, Brand, Picture, Publication, Source
from newsletter.organisation.apply_file import apply_file
from newsletter.organisation.sample_files import read_sample
from newsletter.organisation.upsert import Change
from subscribers.models import Case, MailingList, Segment, Topic

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
BASE = """
[brand]
name = "Open Door"
[[list]]
slug = "weekly"
name = "The weekly letter"
[[topic]]
slug = "fair-wages"
name = "Fair wages"
[[source]]
name = "Stories"
kind = "feed"
url = "https://example.org/feed.xml"
every = "30m"
topics = ["Fair wages"]
[[publication]]
slug = "weekly"
name = "The weekly letter"
list = "weekly"
from_name = "Open Door"
from_email = "letter@news.example.org"
schedule = "0 9 * * 4"
zone = "Europe/London"
sources = ["Stories"]
"""


def apply(tmp_path: Path, text: str, *, dry_run: bool = False) -> dict[str, Change]:
    """The changes of a file's text, by kind and name."""
    file = tmp_path / "organisation.toml"
    file.write_text(text, encoding="utf-8")
    return {f"{change.kind} {change.name}": change for change in apply_file(file, dry_run=dry_run, now=NOW)}


def refuse(tmp_path: Path, text: str) -> str:
    with pytest.raises(BadFile) as caught:
        apply(tmp_path, text)
    return str(caught.value)


@pytest.mark.parametrize("text", [read_sample("sample.toml"), write_organisation(site="https://example.org")])
def test_the_samples_apply_and_a_second_time_change_nothing(tmp_path: Path, text: str) -> None:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("logo"))
    assert {change.action for change in apply(tmp_path, text).values()} == {"created"}
    assert {change.action for change in apply(tmp_path, text).values()} == {"unchanged"}


def test_a_case_of_the_file_is_made_and_renamed(tmp_path: Path) -> None:
    apply(tmp_path, BASE + '[[case]]\nslug = "river-case"\n')
    assert Case.objects.get().name == "River case"
    apply(tmp_path, BASE + '[[case]]\nslug = "river-case"\nname = "The river"\n')
    assert Case.objects.get().name == "The river"


def test_a_file_becomes_rows_that_refer_to_each_other(tmp_path: Path) -> None:
    apply(tmp_path, BASE)
    publication = Publication.objects.get(slug="weekly")
    assert publication.mailing_list == MailingList.objects.get(slug="weekly")
    assert publication.brand == Brand.objects.get(slug="default")
    assert [source.name for source in publication.sources.all()] == ["Stories"]
    assert publication.schedule == "0 9 * * thu"
    source = Source.objects.get(name="Stories")
    assert (source.every_minutes, [topic.slug for topic in source.topics.all()]) == (30, ["fair-wages"])


def test_only_differences_are_changed_and_old_and_new_are_shown(tmp_path: Path) -> None:
    apply(tmp_path, BASE)
    changes = apply(tmp_path, BASE.replace('"30m"', '"2h"').replace('topics = ["Fair wages"]', "topics = []"))
    assert changes["source Stories"].fields == {"every": ("30m", "2h"), "topics": (["fair-wages"], [])}
    assert {change.action for key, change in changes.items() if key != "source Stories"} == {"unchanged"}


def test_values_that_the_file_leaves_out_stay_unchanged(tmp_path: Path) -> None:
    apply(tmp_path, BASE)
    Publication.objects.update(stories=7, intro="Hello")
    apply(tmp_path, '[[publication]]\nslug = "weekly"\nevents = 2')
    publication = Publication.objects.get()
    assert (publication.stories, publication.events, publication.intro) == (7, 2, "Hello")
    assert (publication.schedule, Topic.objects.count()) == ("0 9 * * thu", 1)


def test_a_dry_run_reports_everything_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(draw("red"))
    text = BASE.replace('name = "Open Door"', 'name = "Open Door"\nlogo = "logo.png"', 1)
    changes = apply(tmp_path, text, dry_run=True)
    assert {change.action for change in changes.values()} == {"created"}
    assert changes["brand Open Door"].fields["logo"][1].startswith("logo:")
    assert not Brand.objects.exists()
    assert not Picture.objects.exists()
    assert not Publication.objects.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BASE.replace('list = "weekly"', 'list = "wekly"'),
            "[[publication]] weekly: list “wekly” is not known; did you mean “weekly”?",
        ),
        (
            BASE.replace('["Stories"]', '["Storys"]'),
            "[[publication]] weekly: source “Storys” is not known; did you mean “Stories”?",
        ),
        (
            BASE.replace('["Fair wages"]', '["xyz"]'),
            "[[source]] Stories: topic “xyz” is not known; known are fair-wages.",
        ),
        (BASE + 'segment = "x"', "[[publication]] weekly: segment “x” is not known; there is no segment yet."),
        (BASE.replace("0 9 * * 4", "0 99 * * 4"), "[[publication]] weekly: “0 99 * * 4” is not a schedule"),
        (BASE.replace("Europe/London", "Europe/Londn"), "[[publication]] weekly: “Europe/Londn” is not a time zone"),
        (BASE.replace('schedule = "0 9 * * 4"', ""), "[[publication]] weekly: “schedule” is missing."),
        (BASE.replace('list = "weekly"', ""), "[[publication]] weekly: “list” is missing."),
        (
            BASE.replace('from_email = "letter@news.example.org"', ""),
            "[[publication]] weekly: “from_email” is missing.",
        ),
        (BASE.replace('[brand]\nname = "Open Door"', ""), "[[publication]] weekly: there is no [brand] yet"),
        (BASE.replace('url = "https://example.org/feed.xml"', ""), "[[source]] Stories: “url” is missing."),
        ('[[list]]\nslug = "a"', "[[list]] a: “name” is missing."),
        (
            '[[topic]]\nslug = "a"\nname = "' + "x" * 121 + '"',
            "[[topic]] a: name: Ensure this value has at most 120 characters",
        ),
        ('[[appeal]]\nslug = "a"\nheadline = "b"\nbutton = "c"', "[[appeal]] a: “link” is missing."),
        ('[[segment]]\nslug = "a"', "[[segment]] a: “rule” is missing."),
        (
            '[[segment]]\nslug = "a"\nrule = { lst = "weekly" }',
            "[[segment]] a: rule: “lst” is not something a rule can ask.",
        ),
        ('[[segment]]\nslug = "a"\nrule = { list = "gone" }', "[[segment]] a: rule.list"),
        ('[brand]\nname = "a"\nlogo = "none.png"', "[brand]: logo: there is no file "),
        ('[brand]\nname = "a"\nlogo = "."', "[brand]: logo: "),
        ('[brand]\nname = "a"\nlogo = "ftp://example.org/a.png"', "must be an http or https address, or a file"),
        (
            '[brand]\nname = "a"\nlogo = "organisation.toml"',
            "organisation.toml cannot be used: The image is not JPEG",
        ),
        (
            '[brand]\nname = "a"\nlogo_dark = "http://10.0.0.1/logo.png"',
            "[brand]: logo_dark: http://10.0.0.1/logo.png cannot be used: ",
        ),
    ],
)
def test_a_fault_names_the_table_and_the_key_and_changes_nothing(tmp_path: Path, text: str, message: str) -> None:
    assert message in refuse(tmp_path, text)
    assert not Brand.objects.exists()
    assert not MailingList.objects.exists()
    assert not Source.objects.exists()


def test_a_logo_that_is_too_large_to_be_one_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "logo.png").open("wb") as file:
        file.truncate(10_000_001)
    assert "is larger than 10 MB" in refuse(tmp_path, '[brand]\nname = "a"\nlogo = "logo.png"')


def test_a_logo_beside_the_file_is_hosted_once_and_again_when_it_changes(tmp_path: Path) -> None:
    text = '[brand]\nname = "Open Door"\nlogo = "logo.png"'
    (tmp_path / "logo.png").write_bytes(draw("red"))
    apply(tmp_path, text)
    first = Brand.objects.get().logo
    assert first is not None
    assert first.alt == "Open Door"
    assert apply(tmp_path, text)["brand Open Door"].action == "unchanged"
    (tmp_path / "logo.png").write_bytes(draw("blue"))
    assert list(apply(tmp_path, text)["brand Open Door"].fields) == ["logo"]
    assert Brand.objects.get().logo != first
    apply(tmp_path, '[brand]\nlogo = ""')
    assert Brand.objects.get().logo is None


def test_a_logo_on_the_web_is_fetched_once(tmp_path: Path, logo_server: tuple[str, list[str]]) -> None:
    address, asked = logo_server
    text = f'[brand]\nname = "Open Door"\nlogo = "{address}/logo.png"'
    apply(tmp_path, text, dry_run=True)
    assert asked == []
    apply(tmp_path, text)
    assert apply(tmp_path, text)["brand Open Door"].action == "unchanged"
    assert asked == ["/logo.png"]
    logo = Brand.objects.get().logo
    assert logo is not None
    assert logo.source_url == f"{address}/logo.png"


def test_a_source_that_moves_is_asked_afresh_and_at_once(tmp_path: Path) -> None:
    apply(tmp_path, BASE)
    Source.objects.update(etag="old", failures=3, error="gone", due_at=None)
    apply(tmp_path, BASE.replace("feed.xml", "news.xml"))
    source = Source.objects.get()
    assert (source.etag, source.failures, source.error, source.due_at) == ("", 0, "", NOW)


def test_a_segment_may_lean_on_a_list_of_the_same_file_and_needs_no_name(tmp_path: Path) -> None:
    apply(
        tmp_path,
        BASE
        + '\n[[segment]]\nslug = "near-london"\nrule = { any = [{ list = "weekly" }, { near = "London", km = 9 }] }',
    )
    assert Segment.objects.get().name == "Near london"
    apply(tmp_path, '[[publication]]\nslug = "weekly"\nsegment = "near-london"')
    assert Publication.objects.get().segment is not None
    apply(tmp_path, '[[publication]]\nslug = "weekly"\nsegment = ""')
    assert Publication.objects.get().segment is None


def test_a_segment_without_a_rule_keeps_its_unknown_language(tmp_path: Path) -> None:
    rule = {"language": "klingon"}
    Segment.objects.create(slug="old", name="Old", rule=rule)
    change = apply(tmp_path, '[[segment]]\nslug = "old"\nname = "New"')["segment old"]
    assert change.fields == {"name": ("Old", "New")}
    assert Segment.objects.get().rule == rule
    assert "“klingon” is not a language code" in refuse(
        tmp_path, '[[segment]]\nslug = "old"\nrule = { language = "klingon" }'
    )


def test_a_segment_without_a_rule_still_needs_a_rule_that_works(tmp_path: Path) -> None:
    Segment.objects.create(slug="old", name="Old", rule={"list": "gone"})
    assert "[[segment]] old: rule.list" in refuse(tmp_path, '[[segment]]\nslug = "old"\nname = "New"')


def test_a_key_named_for_is_the_appeals_audience(tmp_path: Path) -> None:
    appeal = '[[appeal]]\nslug = "a"\nheadline = "b"\nbutton = "c"\nlink = "http://cms/give"\nfor = "donor"'
    assert apply(tmp_path, appeal)["appeal a"].fields["for"] == (None, "donor")
    assert Appeal.objects.get().audience == "donor"


def draw(colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 20), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def logo_server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that has a logo, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = draw("green")
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def test_the_file_sets_the_fields_of_a_sign_up_form_or_leaves_them(
    tmp_path: Path,
) -> None:
    file = tmp_path / "organisation.toml"
    asked = []
    for line in ("", 'ask = ["place", "language"]', "", "ask = []"):
        file.write_text(f'[[list]]\nslug = "weekly"\nname = "Weekly"\n{line}\n', encoding="utf-8")
        apply_file(file, now=NOW)
        row = MailingList.objects.get()
        asked.append((row.ask_name, row.ask_place, row.ask_topics, row.ask_language))
    chosen = (False, True, False, True)
    assert asked == [(True, True, True, False), chosen, chosen, (False, False, False, False)]


def test_the_file_sets_the_pages_after_signing_up(tmp_path: Path) -> None:
    apply(tmp_path, BASE)
    pages = {"joined_url": "https://charity.example/thanks", "confirmed_url": "https://charity.example/welcome"}
    lines = "".join(f'{name} = "{url}"\n' for name, url in pages.items())
    apply(tmp_path, f'[[list]]\nslug = "weekly"\n{lines}')
    assert MailingList.objects.values(*pages).get(slug="weekly") == pages


def test_the_file_chooses_whether_readers_get_it_by_their_own_clock(tmp_path: Path) -> None:
    apply(tmp_path, BASE)
    assert Publication.objects.get().send_at == "slot"
    changes = apply(tmp_path, '[[publication]]\nslug = "weekly"\nsend_at = "local"')
    assert changes["publication weekly"].fields == {"send_at": ("slot", "local")}
    assert Publication.objects.get().send_at == "local"
    assert "send_at" in refuse(tmp_path, '[[publication]]\nslug = "weekly"\nsend_at = "noon"')
