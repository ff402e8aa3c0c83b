"""Which appeals an issue has: by publication, language, days and priority."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotApproved
from newsletter.issues.assembly.selection import choose_appeals
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.visible.block_choices import choose_appeals as choose_visible
from newsletter.models import Appeal, Delivery, Issue, Publication
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


def make_appeal(slug: str, **values: object) -> Appeal:
    return Appeal.objects.create(slug=slug, headline=slug, link="https://example.org/give", button="Give", **values)


def choose(publication):
    appeals, reasons = choose_appeals(publication=publication, due_at=NOW)
    return [appeal.slug for appeal in appeals], {reason.title: str(reason.why) for reason in reasons}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"language": "es"}, "left out: written in another language (es)"),
        ({"language": "en-GB"}, "shown to: everybody"),
        ({"first_day": date(2026, 3, 6)}, "left out: it begins on 6 March 2026"),
        ({"last_day": date(2026, 3, 3)}, "left out: it ended on 3 March 2026"),
        ({"first_day": date(2026, 3, 4), "last_day": date(2026, 3, 4)}, "shown to: everybody"),
    ],
)
def test_an_appeal_is_chosen_by_language_and_day(values, why):
    make_appeal("gift", **values)
    chosen, reasons = choose(make_publication())
    assert reasons == {"gift": why}
    assert chosen == (["gift"] if why.startswith("shown") else [])


def test_an_appeal_for_other_publications_is_left_out():
    mine, other = make_publication(), make_publication(slug="other")
    make_appeal("gift").publications.add(other)
    assert choose(mine) == ([], {"gift": "left out: it is for other publications"})
    assert choose(other)[0] == ["gift"]


def test_appeals_of_a_higher_priority_come_first():
    make_appeal("a")
    make_appeal("b", priority=5)
    assert choose(make_publication())[0] == ["b", "a"]


def test_an_appeal_that_ended_since_is_not_in_the_mail():
    publication = make_publication()
    make_story("The first verdict")
    make_appeal("gift")
    issue = make_issue(publication)
    assert _list_shown(issue) == ["gift"]
    Appeal.objects.update(last_day=date(2026, 3, 4))
    assert _list_shown(issue) == []


def test_an_appeal_cannot_end_before_it_begins():
    with pytest.raises(IntegrityError, match="appeal_ends_after_it_begins"), transaction.atomic():
        make_appeal("gift", first_day=date(2026, 3, 5), last_day=date(2026, 3, 4))


def _list_shown(issue):
    issue.refresh_from_db()
    blocks = resolve_content(issue).blocks
    return [appeal.headline for block in blocks if block.type == "appeal" for appeal in block.appeals]


def list_headlines(issue: Issue) -> list[str]:
    content = resolve_content(Issue.objects.get(pk=issue.pk))
    return [appeal.headline for block in content.blocks if block.type == "appeal" for appeal in block.appeals]


def test_an_appeal_in_a_language_that_is_turned_off_is_left_out() -> None:
    weekly = make_publication(languages=["es"])
    make_story("The water case")
    make_appeal("en", language="en")
    make_appeal("any", priority=1)
    make_appeal("es", language="es", priority=9)
    issue = make_issue(weekly)
    assert list_headlines(issue) == ["any", "en"]
    Publication.objects.update(languages=[])
    assert list_headlines(issue) == ["any", "en"]


def test_an_appeal_that_is_limited_to_others_later_leaves_the_issue() -> None:
    weekly = make_publication()
    make_story("The water case")
    appeal = make_appeal("en")
    add_subscribers(weekly, 1)
    issue = make_issue(weekly, approved=True)
    assert list_headlines(issue) == ["en"]
    appeal.publications.add(make_publication(slug="rights"))
    assert list_headlines(issue) == []
    with pytest.raises(NotApproved):
        start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)


ALL_APPEALS = (
    ("es-donor", {"audience": "donor", "language": "es"}),
    ("en-donor", {"audience": "donor", "language": "en", "priority": 5}),
    ("es-all", {"language": "es", "priority": 8}),
    ("es-all-later", {"language": "es", "priority": 9, "first_day": date(2026, 3, 6)}),
    ("en-all", {"language": "en", "priority": 7}),
    ("any-all", {"priority": 6}),
    ("en-all-over", {"language": "en", "priority": 9, "last_day": date(2026, 3, 3)}),
    ("en-monthly-elsewhere", {"audience": "monthly", "language": "en", "priority": 9}),
    ("fr-all", {"language": "fr", "priority": 9}),
    ("off-all", {"priority": 9, "enabled": False}),
)
"""Appeals on 5 March 2026. The one that is elsewhere is for another publication."""


@pytest.mark.parametrize(
    ("language", "giving", "without", "seen"),
    [
        ("es", "donor", "", "es-donor"),
        ("es", "donor", "es-donor", "en-donor"),
        ("es", "donor", "es-donor en-donor", "es-all"),
        ("es", "none", "", "es-all"),
        ("es", "none", "es-all", "en-all"),
        ("es", "monthly", "", "es-all"),
        ("en", "donor", "", "en-donor"),
        ("en", "donor", "en-donor", "en-all"),
        ("en", "none", "", "en-all"),
        ("en", "none", "en-all", "any-all"),
        ("en", "monthly", "", "en-all"),
        ("en", "none", "en-all any-all", ""),
    ],
)
@pytest.mark.requirement("N5")
def test_status_comes_before_language_and_language_before_priority(
    language: str, giving: str, without: str, seen: str
) -> None:
    weekly, other = make_publication(languages=["es"]), make_publication(slug="other")
    make_story("The water case")
    for slug, values in ALL_APPEALS:
        if slug not in without.split():
            appeal = make_appeal(slug, **values)
            if slug.endswith("elsewhere"):
                appeal.publications.add(other)
    content = resolve_content(Issue.objects.get(pk=make_issue(weekly).pk))
    version = content if language == "en" else content.versions[0]
    (chosen,) = choose_visible(version, giving).values()
    assert (chosen.headline if chosen else "") == seen


@pytest.mark.django_db(transaction=True)
@pytest.mark.requirement("N5")
def test_a_donor_who_reads_spanish_is_sent_the_spanish_appeal() -> None:
    weekly = make_publication(languages=["es"])
    make_story("The water case")
    for slug, values in ALL_APPEALS:
        make_appeal(slug, **values)
    (person,) = add_subscribers(weekly, 1)
    Subscriber.objects.filter(pk=person.pk).update(language="es-MX", giving="donor")
    start_send(issue=make_issue(weekly, approved=True), now=NOW)
    html = Delivery.objects.get().batch.variant.html
    assert [slug for slug, _values in ALL_APPEALS if f">{slug}<" in html] == ["es-donor"]
