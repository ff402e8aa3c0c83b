"""The week of the sample organisation shows languages, interests, the welcome, the limit of mails, and memory."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker
from rich.console import Console

from newsletter.demo.sample_week import run_sample_week
from newsletter.demo.site_server import DemoSite
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.snapshot.versions import make_language_versions
from newsletter.models import Delivery, Issue, Story, Variant
from newsletter.sending.settling.issue_status import status_of
from tests.support.migrated_database import SERVER

pytestmark = pytest.mark.skipif(bool(SERVER), reason="a demo makes a database of its own, which is a file")
PEOPLE = 60


@pytest.fixture(scope="module")
def week(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """Run it once for this module, in a transaction that is rolled back."""
    folder: Path = tmp_path_factory.mktemp("demo")
    written = io.StringIO()
    own = {"NEWSLETTER_DATA_DIR": folder, "MEDIA_ROOT": folder / "media", "NEWSLETTER_PROVIDER_URL": "outbox://"}
    with (
        django_db_blocker.unblock(),
        override_settings(**own, NEWSLETTER_FETCH_ALLOW=["127.0.0.1"]),
        transaction.atomic(),
    ):
        now = datetime.now(UTC)
        with DemoSite(now=now) as site:
            run_sample_week(site_url=site.url, people=PEOPLE, now=now, console=Console(file=written, width=200))
        yield SimpleNamespace(printed=written.getvalue(), folder=folder)
        transaction.set_rollback(True)


def find_issue(slug: str) -> Issue:
    return Issue.objects.get(publication__slug=slug, kind=Issue.Kind.ISSUE)


@pytest.mark.long
def test_the_weekly_letter_is_whole_in_spanish(week) -> None:
    weekly = find_issue("weekly")
    (version,) = make_language_versions(resolve_content(weekly), issue=weekly)
    assert {gap.field for gap in version.gaps} <= {"event"}, version.gaps
    assert version.content.subject.startswith("La clínica de Houston")
    letters = list(Variant.objects.filter(issue=weekly, language="es"))
    for words in ("Hola, ", "Las recolectoras de té", "Curso breve", "Veinte libras", "El autobús de asesoría"):
        assert any(words in letter.html + letter.text for letter in letters), words
    for words in ("Hello", "Tea pickers", "Short course"):
        assert not any(words in letter.html for letter in letters)


def test_sources_link_the_spanish_stories_to_the_english_ones(week) -> None:
    spanish = Story.objects.filter(source__name="Stories from the field, in Spanish")
    assert spanish.count() == 5
    assert all(story.translation_of and story.translation_of.language.startswith("en") for story in spanish)


def test_topics_decide_the_order_of_stories(week) -> None:
    assert "chose topics" in week.printed
    assert find_issue("weekly").approvals.get().revision.groups.exclude(interests=-1).filter(people__gt=0).exists()


def test_two_people_get_the_welcome_each_in_their_language(week) -> None:
    welcome = Issue.objects.get(kind=Issue.Kind.WELCOME, on_since__isnull=False)
    assert status_of(welcome)["deliveries"]["accepted"] == 2
    assert "newcomer@example.org and recien-llegada@example.org signed up" in week.printed
    shown = {
        delivery.batch.variant.language: delivery.batch.variant for delivery in Delivery.objects.filter(issue=welcome)
    }
    assert set(shown) == {"en", "es"}
    assert "Te damos la bienvenida" in shown["es"].subject
    for words in ("Hola, ", "Gracias por unirte", "Tú eliges"):
        assert words in shown["es"].text
    for words in ("Hello", "Thank you for joining us"):
        assert words not in shown["es"].text


def test_a_receipt_counts_people_over_the_limit_of_mails(week) -> None:
    audience = status_of(find_issue("offices"))["audience"]
    texans = status_of(find_issue("texas"))["audience"]["recipients"]
    assert audience["excluded"]["over_budget"] == texans > 0
    assert audience["candidates"] == audience["recipients"] + sum(audience["excluded"].values())


def test_nobody_gets_a_story_of_the_weekly_letter_twice(week) -> None:
    weekly, offices = resolve_content(find_issue("weekly")), resolve_content(find_issue("offices"))
    both = {story.title for story in weekly.stories} & {story.title for story in offices.stories}
    assert len(both) == 2
    for variant in Variant.objects.filter(issue=find_issue("offices")):
        assert not [title for title in both if title in variant.html]


def test_three_people_are_explained(week) -> None:
    explained = week.printed.split("newsletter explain ")[1:]
    assert [text.split()[1] for text in explained] == ["weekly/1", "offices/1", "offices/1"]
    spanish, over, remembered = explained
    assert "they read Spanish" in spanish
    assert "It has one of their topics." in spanish
    assert "more mails in 7 days than the limit for one person allows." in over
    assert "They got it in another issue." in remembered
