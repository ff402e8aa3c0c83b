"""Sources of a kind that another package brings: read like ours, in the child process, and held while the kind is missing."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.content.parsing.sandbox import process as sandbox_process
from newsletter.models import EventNotice, Source, Story
from newsletter.organisation.health.content import check_sources
from tests.support.desk import sign_in
from tests.support.fixtures import NOW
from tests.support.installed_extensions import Extensions
from tests.support.installed_extensions import extensions as extensions
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db
KIND = """
import os
import sys

from newsletter.extensions.sources import Parsed, SourceKind, StoryEntry

class Lines(SourceKind):
    interface = 1
    label = "A list of lines"
    gives = "stories"
    asks_for = "text/x-lines"

    def parse(self, document):
        assert "django" not in sys.modules
        titles = document.body.decode().splitlines()
        stories = tuple(StoryEntry(external_id=title, url=f"{document.url}/{n}", title=title, published_at=document.now)
                        for n, title in enumerate(titles))
        return Parsed(stories=stories, title=str(os.getpid()))

class Fails(Lines):
    def read(self, request):
        raise KeyError("page")

class Exits(Lines):
    def parse(self, document):
        os._exit(9)

class Damaged(Lines):
    def parse(self, document):
        raise ValueError("no")
"""
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>Notes</title><item><title>Verdict</title>'
    "<link>https://example.org/1</link></item></channel></rss>"
)


@pytest.fixture
def site() -> Iterator[Site]:
    sandbox_process._child.close()  # the next child finds what is installed now
    with serve_site() as served:
        yield served
    sandbox_process._child.close()


def make_source(site: Site, kind: str = "lines") -> Source:
    return Source.objects.create(
        name=f"A source of {kind}", kind=kind, url=site.put(f"/{kind}", "The clinic opens\nA verdict")
    )


def test_a_source_of_another_package_gives_stories(site: Site, extensions: Extensions) -> None:
    extensions.install("lines", KIND, {"sources": {"lines": "Lines"}})
    report = ingest_source(source=make_source(site), now=NOW)
    assert (report.error, report.new) == ("", 2)
    assert set(Story.objects.values_list("title", flat=True)) == {"The clinic opens", "A verdict"}
    assert site.asked[0][1]["Accept"] == "text/x-lines"
    page = sign_in("editor").get("/admin/sources/?kind=lines").content.decode()
    assert "A list of lines" in page
    assert "A source of lines" in page


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("Fails", "The extension for sources of the kind “lines” failed (KeyError). Nothing new was used."),
        ("Exits", "This source is damaged and cannot be read (the reader ended with 9)."),
        ("Damaged", "This source is damaged and cannot be read (ValueError)."),
    ],
)
def test_a_failing_kind_is_an_error_of_that_source_only(
    broken: str, error: str, site: Site, extensions: Extensions
) -> None:
    extensions.install("lines", KIND, {"sources": {"lines": broken}})
    assert ingest_source(source=make_source(site), now=NOW).error.startswith(error)
    feed = Source.objects.create(name="Feed", kind="feed", url=site.put("/feed.xml", FEED))
    assert ingest_source(source=feed, now=NOW).new == 1


@pytest.mark.parametrize("why", ["older", "uninstalled"])
def test_without_its_kind_a_source_is_held_and_nothing_is_lost(why: str, site: Site, extensions: Extensions) -> None:
    extensions.install("lines", KIND, {"sources": {"lines": "Lines"}})
    source = make_source(site)
    ingest_source(source=source, now=NOW)
    extensions.uninstall("lines")
    if why == "older":
        extensions.install("lines2", KIND.replace("interface = 1", "interface = 0"), {"sources": {"lines": "Lines"}})
    report = ingest_source(source=Source.objects.get(), now=NOW)
    assert report.error.startswith("Sources of the kind “lines” cannot be read. It comes with")
    assert report.error.endswith("What was read before is kept.")
    assert ("interface 0" in report.error) == (why == "older")
    assert Story.objects.filter(gone_at__isnull=True).count() == 2
    assert [finding.level for finding in check_sources()] == ["warning"]
    editor = sign_in("editor")
    assert "lines (not available)" in editor.get("/admin/sources/").content.decode()
    assert "The source “A source of lines” cannot be read" in editor.get("/admin/").content.decode()
    form = editor.get(f"/admin/sources/edit/{source.pk}/")
    assert "lines (not available)" in form.content.decode()
    fields = {"name": "Renamed", "url": source.url, "kind": "lines", "every_minutes": "30"}
    assert editor.post(f"/admin/sources/edit/{source.pk}/", fields).status_code == 302
    source.refresh_from_db()
    assert (source.name, source.kind, source.enabled) == ("Renamed", "lines", False)


def test_events_of_a_missing_kind_are_not_cancelled(site: Site, extensions: Extensions) -> None:
    events = KIND.replace('gives = "stories"', 'gives = "events"')
    extensions.install("lines", events, {"sources": {"lines": "Lines"}})
    source = make_source(site)
    EventNotice.objects.create(source=source, external_id="1", title="Vigil", starts_at=NOW, seen_at=NOW)
    extensions.uninstall("lines")
    ingest_source(source=source, now=NOW)
    assert not EventNotice.objects.get().cancelled


def test_the_file_of_an_organisation_names_installed_kinds_only(
    extensions: Extensions, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("file") / "newsletter.toml"
    file.write_text('[[source]]\nname = "Lines"\nkind = "lines"\nurl = "https://example.org/lines"\n')
    with pytest.raises(CommandError, match="“lines” is not one of “feed”, “wordpress”") as refused:
        call_command("apply", str(file))
    assert "If it comes with an extension, install its package here first." in str(refused.value)
    extensions.install("lines", KIND, {"sources": {"lines": "Lines"}})
    call_command("apply", str(file))
    assert Source.objects.get().kind == "lines"


def test_a_source_without_a_kind_cannot_be_stored() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Source.objects.create(name="None", kind="", url="https://example.org/")
