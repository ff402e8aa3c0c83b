"""Staff review the audience page, two versions, one person's mail and proofs before approval."""

import json
import re
from typing import Any

import lxml.html
import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from wagtail.users.models import UserProfile

from newsletter.desk.issues import overview
from newsletter.desk.issues.audience.compare_variants import compare_lines, mark_differences
from newsletter.desk.issues.checking.checks import describe_verdict
from newsletter.issue_checks.variant_groups import parse_group_key
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.visible.nearby_events import EventSelection
from newsletter.issues.visible.variant_labels import describe_visible
from newsletter.issues.visible.visible_content import VisibleContent
from newsletter.models import AuditEntry, Issue, Proof, Publication
from newsletter.sending.freezing.start import start_send
from subscribers.audience import count_cache
from subscribers.models import Basis, Subscriber, SubscriberLocation
from tests.support.content import make_event_record
from tests.support.desk import list_messages, sign_in
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    make_event("Evening in Houston", where=HOUSTON)
    make_event("Morning in London", where=LONDON)
    add_subscribers(publication, 3, where=HOUSTON)
    add_subscribers(publication, 2, where=LONDON, start=10)
    publication.intro = 'Dear {{ first_name | default:"friend" }},'
    publication.save()
    return make_issue(publication)


def get(client: Client, issue: Issue, page: str) -> str:
    return compact_html(client.get(f"/admin/issues/{issue.pk}/{page}").content.decode())


def test_the_audience_page_counts_people_by_region_and_version(issue: Issue) -> None:
    page = get(sign_in("writer"), issue, "audience/")
    assert "5 recipients" in page
    assert "Texas, United States" in page
    assert "2 versions of this issue" in page
    assert "No earlier issue to compare with." in page


def test_the_audience_page_of_a_sent_issue_shows_whom_it_was_sent_to(issue: Issue) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=issue, now=NOW)
    Subscriber.objects.all().delete()
    page = get(sign_in("writer"), issue, "audience/")
    assert "5 recipients" in page
    assert "Texas, United States" in page
    assert "2 versions of this issue" in page
    assert "unusual recipient" not in page


@pytest.fixture
def slow_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", 0)


@pytest.mark.usefixtures("slow_counts")
def test_a_slow_count_of_an_audience_is_kept_and_shows_its_time(issue: Issue) -> None:
    writer = sign_in("writer")
    assert "Counted at" not in get(writer, issue, "audience/")
    add_subscribers(issue.publication, 1, where=LONDON, start=50)
    kept = get(writer, issue, "audience/")
    assert "5 recipients" in kept
    assert "Counted at" in kept
    assert "6 recipients" in get(writer, issue, "audience/?count=again")


def test_one_sentence_says_what_was_checked_and_in_how_many_versions(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MAX_MODES", 1)
    page = get(sign_in("writer"), issue, "overview/")
    assert re.search(r" We checked the 1 most common of [2-9] versions\.</p>", page)
    assert describe_verdict([], checked=40, versions=59) == "All checks passed in the 40 most common of 59 versions."
    assert describe_verdict([], checked=2, versions=2) == "All checks passed."


def test_the_audience_page_lists_exclusions_with_their_reason(issue: Issue) -> None:
    issue.publication.mailing_list.subscriptions.filter(subscriber__email="person0@example.com").update(
        basis=Basis.DOUBLE_OPT_IN, confirmed_at=None
    )
    page = get(sign_in("writer"), issue, "audience/")
    assert "4 recipients" in page
    assert "not confirmed yet" in page


def test_unusual_recipients_are_masked_and_explained(issue: Issue) -> None:
    Subscriber.objects.filter(email="person10@example.com").update(
        name="Wolfeschlegelsteinhausenbergerdorff of Somewhere", language="de"
    )
    page = get(sign_in("approver"), issue, "audience/")
    assert "Check that it fits the greeting." in page
    assert "This version is for only 2 people" in page
    assert "person10@example.com" not in page
    assert "Wolfeschlegel" not in page


@pytest.mark.parametrize(
    ("language", "is_named"), [("de", True), ("DE-at", True), ("en", False), ("EN-gb", False), ("", False)]
)
def test_a_reader_of_another_language_is_unusual(issue: Issue, language: str, is_named: bool) -> None:
    Subscriber.objects.update(language="en")
    Subscriber.objects.filter(email="person2@example.com").update(language=language)
    page = get(sign_in("approver"), issue, "audience/")
    assert ("They read German" in page) is is_named


def test_no_recipient_is_searched_for_if_all_read_the_language(issue: Issue) -> None:
    Subscriber.objects.update(language="en")
    with CaptureQueriesContext(connection) as queries:
        get(sign_in("approver"), issue, "audience/")
    recipients = [query["sql"] for query in queries.captured_queries if "language_ref" in query["sql"]]
    assert recipients
    assert not [sql for sql in recipients if '"language"' in sql.partition(" WHERE ")[2]]


def test_a_spanish_desk_names_regions_and_countries_in_spanish(issue: Issue) -> None:
    client = sign_in("approver")
    UserProfile.objects.update_or_create(
        user=User.objects.get(username="approver@example.org"), defaults={"preferred_language": "es"}
    )
    SubscriberLocation.objects.filter(region="US-TX").update(region="US-NY")
    page = client.get(f"/admin/issues/{issue.pk}/audience/").content.decode()
    assert "Nueva York, Estados Unidos" in page
    assert "Inglaterra, Reino Unido" in page


def test_variant_groups_have_region_names_instead_of_codes() -> None:
    event = make_event_record(town="", region="US-NY", country="US")
    visible = VisibleContent(language="en", events={"a": EventSelection("region", (event,))}, appeals={})
    assert describe_visible(visible) == "Events in the region: New York"
    with translation.override("es"):
        assert "Nueva York" in describe_visible(visible)


def test_a_writer_sees_unusual_recipients_but_not_their_mail(issue: Issue) -> None:
    assert "View mail" not in get(sign_in("writer"), issue, "audience/")
    assert "View mail" in get(sign_in("admin"), issue, "audience/")


def test_a_person_is_found_masked_and_previewed_by_name(issue: Issue) -> None:
    client = sign_in("admin")
    found = client.post(f"/admin/issues/{issue.pk}/people/", {"q": "person0@example.com"}).json()["people"]
    assert [row["label"] for row in found] == ["Reader0 Sample, p•••@e•••.com, Houston, Texas, United States"]
    page = get(client, issue, f"mail/mail.{found[0]['mode']}/")
    assert "Dear Reader0," in page
    assert "Evening in Houston" in page
    assert "/u/" not in page


def test_staff_who_may_not_see_addresses_preview_people_without_names(issue: Issue) -> None:
    client = sign_in("data")
    Group.objects.get(name="data").permissions.remove(Permission.objects.get(codename="reveal"))
    found = client.post(f"/admin/issues/{issue.pk}/people/", {"q": "person0@example.com"}).json()["people"]
    assert [row["label"] for row in found] == ["R…, p•••@e•••.com, Houston, Texas, United States"]


def test_nobody_spells_out_a_masked_name_by_searching(issue: Issue) -> None:
    client = sign_in("data")
    Group.objects.get(name="data").permissions.remove(Permission.objects.get(codename="reveal"))
    answer = client.post(f"/admin/issues/{issue.pk}/people/", {"q": "Reader0"}).json()
    assert answer["people"] == []
    assert answer["hint"] == "No match on this list. Type a whole address, or the start of a town."
    assert client.post(f"/admin/issues/{issue.pk}/people/", {"q": "Houst"}).json()["people"]


@pytest.mark.parametrize(
    ("asked", "people"), [("Reader1", 3), ("Houst", 3), ("xy", 0), ("nobody@example.com", 0), ("@", 0)]
)
def test_people_are_found_by_the_start_of_a_name_or_town(issue: Issue, asked: str, people: int) -> None:
    answer = sign_in("admin").post(f"/admin/issues/{issue.pk}/people/", {"q": asked})
    assert len(json.loads(answer.content)["people"]) == people


def test_previewing_a_person_needs_permission_to_see_people(issue: Issue) -> None:
    writer, person = sign_in("writer"), Subscriber.objects.get(email="person0@example.com")
    assert writer.post(f"/admin/issues/{issue.pk}/people/", {"q": "Reader"}).status_code == 404
    assert writer.get(f"/admin/issues/{issue.pk}/mail/mail.person.{person.pk}/").status_code == 404
    assert sign_in("admin").get(f"/admin/issues/{issue.pk}/mail/mail.person.999999/").status_code == 404
    approver = sign_in("approver")
    assert approver.post(f"/admin/issues/{issue.pk}/people/", {"q": "Reader"}).status_code == 404
    assert approver.get(f"/admin/issues/{issue.pk}/mail/mail.person.{person.pk}/").status_code == 404
    assert sign_in("data").post(f"/admin/issues/{issue.pk}/people/", {"q": "Reader"}).status_code == 200


def test_people_of_another_list_cannot_be_previewed(issue: Issue) -> None:
    other = add_subscribers(make_publication(slug="other"), 1, start=500)[0]
    browser = sign_in("admin")
    for part in ("mail", "dark", "text", "inbox"):
        assert browser.get(f"/admin/issues/{issue.pk}/mail/{part}.person.{other.pk}/").status_code == 404
    on_list = Subscriber.objects.get(email="person0@example.com")
    on_list.subscriptions.update(ended_at=timezone.now(), end_reason="unsubscribe")
    assert browser.get(f"/admin/issues/{issue.pk}/mail/mail.person.{on_list.pk}/").status_code == 404
    assert not AuditEntry.objects.filter(action="newsletter.previewed_as").exists()


def test_each_preview_as_a_person_is_in_the_staff_log(issue: Issue) -> None:
    browser, person = sign_in("admin"), Subscriber.objects.get(email="person0@example.com")
    for part in ("mail", "text", "mail"):
        assert browser.get(f"/admin/issues/{issue.pk}/mail/{part}.person.{person.pk}/").status_code == 200
    entry = AuditEntry.objects.get(action="newsletter.previewed_as")
    assert (entry.user.username, entry.object_id, entry.data) == (  # type: ignore[union-attr]
        "admin@example.org",
        str(person.pk),
        {"publication": "weekly"},
    )
    sign_in("admin", email="other@example.org").get(f"/admin/issues/{issue.pk}/mail/mail.person.{person.pk}/")
    assert AuditEntry.objects.filter(action="newsletter.previewed_as").count() == 2


def test_two_versions_are_compared_with_differences_marked(issue: Issue) -> None:
    client = sign_in("writer")
    page = get(client, issue, "compare/")
    left, right = (part.split('"')[0] for part in page.split("/compare/")[1:3])
    assert "<del>" in page
    assert "<ins>" in page
    mine = get(client, issue, f"compare/{left}")
    assert mine.count('data-differs="yes"') >= 1
    assert "Evening in Houston" in mine
    assert "Morning in London" in get(client, issue, f"compare/{right}")


def test_equal_text_is_not_marked() -> None:
    mine, theirs = (f"<html><head></head><body><p>Same</p><p>{word}</p></body></html>" for word in ("One", "Two"))
    marked = mark_differences(mine, theirs)
    assert "<p>Same</p>" in marked
    assert '<p data-differs="yes">One</p>' in marked
    assert [line.same for line in compare_lines("a\nb", "a\nc\nd")] == [True, False, False]


@pytest.mark.parametrize("page", ["compare/?left=x", "compare/0.none/0.rich/", "compare/0.none/0.none/?look=x"])
def test_unknown_groups_and_looks_are_not_found(issue: Issue, page: str) -> None:
    assert sign_in("writer").get(f"/admin/issues/{issue.pk}/{page}").status_code == 404


@pytest.mark.parametrize("page", ["audience/", "compare/"])
def test_an_incomplete_issue_lists_what_is_missing(issue: Issue, page: str) -> None:
    Issue.objects.filter(pk=issue.pk).update(body='[{"type": "lead_story", "id": "a", "value": {"story": null}}]')
    assert "Block 1, Lead story, is unfinished: “Story” is empty" in get(sign_in("writer"), issue, page)


def test_images_off_and_inverted_dark_mode_change_the_mail(issue: Issue) -> None:
    client = sign_in("writer")
    bare = client.get(f"/admin/issues/{issue.pk}/mail/bare.0.none/")
    assert "img-src 'none'" in bare.headers["Content-Security-Policy"]
    forced = get(client, issue, "mail/forced.0.none/")
    assert "html,body{background:#1b1b1b" in forced
    assert "@media not all" in forced


def proof(client: Client, issue: Issue, **fields: object) -> object:
    return client.post(f"/admin/issues/{issue.pk}/proof/", fields, follow=True)


def outbox(settings: object) -> str:
    return "\n".join(
        path.read_text() for path in settings.NEWSLETTER_DATA_DIR.rglob("*") if path.suffix in (".html", ".txt")
    )


def test_a_proof_goes_to_the_chosen_staff_and_is_marked(issue: Issue, settings: object) -> None:
    client = sign_in("writer")
    me = client.session["_auth_user_id"]
    response = proof(client, issue, to=[me], readers="0.none")
    (text,) = list_messages(response)
    assert text.startswith("The proof for writer@example.org is ready. No provider is connected, so it was not mailed.")
    assert "writer@example.org, written to files, not mailed." in get(client, issue, "overview/")
    assert f'<a href="/admin/issues/{issue.pk}/mail/mail.' in text
    row = Proof.objects.get()
    assert (row.state, row.person.email, row.by.email) == ("accepted", "writer@example.org", "writer@example.org")
    sent = outbox(settings)
    assert "Proof of The weekly letter No. 1 for staff." in sent
    assert "http://127.0.0.1:8000/proof/unsubscribe" in sent


def test_each_proof_says_how_it_left_whatever_the_provider_is_now(
    issue: Issue, fake_provider: FakeProvider, settings: Any
) -> None:
    client = sign_in("writer")
    me = client.session["_auth_user_id"]
    files = settings.NEWSLETTER_PROVIDER_URL
    proof(client, issue, to=[me], readers="0.none")
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    assert "writer@example.org, written to files, not mailed." in get(client, issue, "overview/")
    proof(client, issue, to=[me], readers="0.none")
    for url in (fake_provider.provider_url, files, "nonsense://"):
        settings.NEWSLETTER_PROVIDER_URL = url
        page = get(client, issue, "overview/")
        assert page.count("writer@example.org, written to files, not mailed.") == 1
        assert page.count("writer@example.org, sent.") == 1


def test_the_label_of_a_proof_is_in_the_language_of_who_reads_it(issue: Issue) -> None:
    client = sign_in("writer")
    me = client.session["_auth_user_id"]
    proof(client, issue, to=[me], readers="0.none")
    shown = f'<span class="nl-quiet">{Proof.objects.get().label}</span></li>'
    assert shown in get(client, issue, "overview/")
    UserProfile.objects.update_or_create(user_id=me, defaults={"preferred_language": "es"})
    with translation.override("es"):
        in_spanish = f'<span class="nl-quiet">{Proof.objects.get().label}</span></li>'
    assert in_spanish != shown
    assert in_spanish in get(client, issue, "overview/")


def test_a_proof_counts_as_no_delivery_and_approves_nothing(issue: Issue) -> None:
    client = sign_in("writer")
    proof(client, issue, to=[client.session["_auth_user_id"]])
    assert not issue.sends.exists()
    assert Issue.objects.get(pk=issue.pk).state == "draft"


def test_a_proof_without_recipients_is_refused(issue: Issue) -> None:
    assert "choose at least one member of staff" in list_messages(proof(sign_in("writer"), issue))[0]


def test_a_refused_proof_keeps_the_ticked_staff_and_the_version(issue: Issue) -> None:
    client = sign_in("writer")
    many = [User.objects.create_user(f"p{n:02}@example.org", email=f"p{n:02}@example.org").pk for n in range(11)]
    chosen = lxml.html.fromstring(get(client, issue, "overview/")).xpath("//select[@name='readers']/option/@value")[1]
    page = lxml.html.fromstring(proof(client, issue, to=many, readers=chosen).content.decode())  # type: ignore[attr-defined]
    assert not Proof.objects.exists()
    assert page.xpath("//input[@name='to'][@checked]/@value") == [str(pk) for pk in many]
    assert page.xpath("//select[@name='readers']/option[@selected]/@value") == [chosen]
    again = lxml.html.fromstring(get(client, issue, "overview/"))
    assert again.xpath("//input[@name='to'][@checked]/@value") == [client.session["_auth_user_id"]]


def test_a_sent_issue_gives_no_proof_and_no_new_revision(issue: Issue) -> None:
    client = sign_in("writer")
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    before = issue.content_revisions.count()
    answer = proof(client, issue, to=[client.session["_auth_user_id"]], readers="0.none")
    assert list_messages(answer) == ["The weekly letter No. 1 has been sent; you can no longer send a proof."]
    assert not Proof.objects.exists()
    assert issue.content_revisions.count() == before


def test_an_invalid_number_is_not_a_group_key(issue: Issue) -> None:
    with pytest.raises(Http404):
        parse_group_key("².none")


def test_sending_a_proof_needs_permission_to_edit_or_approve(issue: Issue) -> None:
    client = sign_in("data")
    proof(client, issue, to=[client.session["_auth_user_id"]])
    assert not Proof.objects.exists()


@pytest.mark.parametrize("name", ["unsubscribe", "preferences"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_personal_links_of_a_proof_change_nothing(issue: Issue, name: str, method: str) -> None:
    response = getattr(Client(), method)(
        f"/proof/{name}", {"List-Unsubscribe": "One-Click"} if method == "post" else {}
    )
    assert response.status_code == 200
    assert "This was a proof" in response.content.decode()
    assert issue.publication.mailing_list.subscriptions.filter(ended_at__isnull=True).count() == 5


def test_a_proof_has_only_its_own_personal_links(db: None) -> None:
    assert Client().get("/proof/else").status_code == 404


def test_the_overview_counts_the_recipients_of_its_kind(issue: Issue) -> None:
    """People who chose only events get this issue too. People who chose the monthly digest do not."""
    subscriptions = issue.publication.mailing_list.subscriptions
    subscriptions.filter(subscriber__email="person0@example.com").update(frequency="events")
    subscriptions.filter(subscriber__email="person1@example.com").update(frequency="monthly")
    page = sign_in("writer").get(f"/admin/issues/{issue.pk}/overview/")
    assert (page.context["candidates"], page.context["recipients"]) == (5, 4)


def test_a_preview_as_a_person_follows_their_frequency(issue: Issue) -> None:
    subscriptions = issue.publication.mailing_list.subscriptions
    subscriptions.filter(subscriber__email="person0@example.com").update(frequency="events")
    subscriptions.filter(subscriber__email="person1@example.com").update(frequency="monthly")
    client = sign_in("admin")
    rows = [
        client.post(f"/admin/issues/{issue.pk}/people/", {"q": f"person{number}@example.com"}).json()["people"][0]
        for number in (0, 1)
    ]
    page = get(client, issue, f"mail/mail.{rows[0]['mode']}/")
    assert "Evening in Houston" in page
    assert "The clinic opens its doors" not in page
    assert rows[0]["note"] == ""
    assert "Not a recipient." in rows[1]["note"]
