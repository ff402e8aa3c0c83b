"""The report of an issue and the results of a publication: honest numbers, clicks as counts, a picture, CSV, comparison."""

import csv
import io

import pytest
from django.test import Client
from django.utils.html import escape

from newsletter.desk.sends.click_map import find_link_texts
from newsletter.desk.sends.report_pages import find_largest_variant
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.variants.click_links import list_link_targets, make_click_url, make_link_key
from newsletter.models import (
    AuditEntry,
    Batch,
    Delivery,
    DeliveryException,
    Issue,
    LinkClicks,
    Publication,
    Send,
    StoryPlacement,
    Variant,
)
from newsletter.organisation.staff import add_staff
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.web.desk import PASSWORD, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(publication: Publication) -> Send:
    """An issue that went to 50 people and counts clicks: 2 bounced, 1 complained, 3 left."""
    Publication.objects.update(clicks="counts")
    publication.refresh_from_db()
    make_story("=The clinic opens its doors")
    add_subscribers(publication, 50)
    return send_out(make_issue(publication))


def send_out(issue: Issue) -> Send:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=issue, now=NOW)
    Batch.objects.filter(send=send).update(state="accepted", settled_at=NOW)
    deliveries = list(Delivery.objects.filter(batch__send=send).order_by("pk"))
    for number, fact in enumerate(["bounced_at", "bounced_at", "complained_at", *["unsubscribed_at"] * 3]):
        DeliveryException.objects.create(delivery=deliveries[number], at=NOW, **{fact: NOW})
    Send.objects.filter(pk=send.pk).update(state="submitted", ended_at=NOW)
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    return Send.objects.get(pk=send.pk)


def click(send: Send, url: str, *, people: int, machines: int = 0) -> None:
    LinkClicks.objects.create(
        issue=send.issue, link=make_link_key(url), url=url, day=NOW.date(), people=people, machines=machines
    )


def first_target() -> str:
    return list_link_targets(Variant.objects.get().html)[0]


def page(send: Send, client: Client, suffix: str = "") -> str:
    return client.get(f"/admin/issues/{send.issue_id}/report/{suffix}").content.decode()


def test_a_report_says_what_became_of_the_people_and_names_what_is_too_much(sent: Send) -> None:
    html = page(sent, sign_in("writer"))
    assert "50 of 50 people (100.0 %) had their mail taken; 2 came back, 3 left." in html
    assert "4.0 %" in html
    assert html.count("too many") == 2
    assert "The provider has not told of any delivery" in html


def test_a_link_goes_by_its_headline_and_not_by_what_its_picture_shows() -> None:
    href = "https://ours.example.org/r/issue/0123456789abcdef0123456789abcdef?to=https://example.org/story"
    mail = f'<a href="{href}"><img alt="A river between fields"></a><a href="{href}">The river has a map</a>'
    assert find_link_texts(mail) == {"https://example.org/story": "The river has a map"}
    assert find_link_texts(f'<a href="{href}"><img alt="A river"></a>') == {"https://example.org/story": "A river"}


def test_a_link_that_only_a_small_group_was_shown_goes_by_its_words_too(sent: Send) -> None:
    largest = Variant.objects.get()
    Batch.objects.update(size=47)
    href = make_click_url(issue=sent.issue.public_id, url="https://example.org/choir")
    small = Variant.objects.create(
        issue=sent.issue, revision=largest.revision, key="small", public_id="small", language="en", subject="s",
        label="Events near Cardiff", html=f'<a href="{escape(href)}">A choir evening</a>', text="", sha256="0" * 64,
    )  # fmt: skip
    Batch.objects.create(send=sent, seq=2, variant=small, part=0, size=3, key="small", state="accepted")
    click(sent, "https://example.org/choir", people=2)
    assert "A choir evening" in page(sent, sign_in("writer"))


def test_the_picture_of_the_clicks_is_the_mail_of_most_people_however_many_calls_it_took(sent: Send) -> None:
    largest = Variant.objects.get()
    Batch.objects.update(size=20)
    other = Variant.objects.create(
        issue=sent.issue, revision=largest.revision, key="other", public_id="other", language="en", subject="s",
        label="Others", html="<a>", text="", sha256="0" * 64,
    )  # fmt: skip
    for seq in (11, 12):
        Batch.objects.create(send=sent, seq=seq, variant=other, part=seq, size=15, key=f"other{seq}", state="accepted")
    assert find_largest_variant(sent) == other


def test_clicks_stand_by_link_with_the_words_of_the_mail_and_machines_apart(sent: Send) -> None:
    click(sent, first_target(), people=7, machines=9)
    html = page(sent, sign_in("writer"))
    assert "7 clicks by people, and 9 more that look like machines" in html
    assert "Links by clicks" in html
    assert first_target() in html


def test_where_nobody_is_counted_the_report_says_so_and_how_to_change_it(sent: Send) -> None:
    assert "No clicks yet." in page(sent, sign_in("writer"))
    Publication.objects.update(clicks="off")
    assert "does not count clicks" in page(sent, sign_in("editor"))


def test_the_picture_shows_the_number_at_each_link_and_can_run_nothing(sent: Send) -> None:
    click(sent, first_target(), people=7)
    response = sign_in("writer").get(f"/admin/issues/{sent.issue_id}/report/mail/")
    html = response.content.decode()
    assert html.count('title="7 clicks"') == list_link_targets(Variant.objects.get().html).count(first_target())
    assert 'title="0 clicks"' in html
    assert "__pv_" not in html
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_the_csv_holds_the_figures_the_links_and_the_variants_and_runs_no_formula(sent: Send) -> None:
    """D1."""
    click(sent, first_target(), people=7, machines=9)
    response = sign_in("writer").get(f"/admin/issues/{sent.issue_id}/report/?as=csv")
    assert 'filename="weekly-1.csv"' in response.headers["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    figures = dict(zip(lines[0], lines[1], strict=True))
    assert (figures["accepted"], figures["bounced"], figures["unsubscribed"]) == ("50", "2", "3")
    assert figures["subject"].startswith("'=")
    assert [first_target(), "7", "9"] in [[line[0], *line[2:]] for line in lines if len(line) == 4]


def test_issues_stand_beside_one_another_with_trends_and_those_ticked_are_compared(sent: Send) -> None:
    first = sent
    Issue.objects.filter(pk=first.issue_id).update(number=7)
    add_subscribers(first.issue.publication, 10, start=50)
    second = another(first)
    client = sign_in("writer")
    html = client.get("/admin/results/?publication=weekly").content.decode()
    assert html.count('role="img"') == 3
    assert "60 with No. 8" in html
    assert "No. 7" in page(second, client)
    compared = client.get(f"/admin/results/?publication=weekly&issue={first.issue_id}").content.decode()
    assert "No. 7" in compared
    assert "No. 8" not in compared
    lines = client.get("/admin/results/?publication=weekly&as=csv").content.decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["weekly/8", "weekly/7"]
    assert client.get("/admin/results/?publication=nothing").status_code == 404


def another(first: Send) -> Send:
    """The publication's next issue, a week later."""
    Issue.objects.filter(pk=first.issue_id).update(slot=None)
    StoryPlacement.objects.all().delete()
    issue = Issue.objects.create(
        publication=first.issue.publication, number=8, public_id="8" * 32, made_at=NOW, subject="The next", body=[]
    )
    issue.body = first.issue.body
    issue.save()
    send = send_out(issue)
    Send.objects.filter(pk=first.pk).update(started_at=NOW.replace(day=1))
    return send


def test_there_is_no_report_of_what_was_not_sent_and_results_begin_empty(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    client = sign_in("writer")
    for part in ("report/", "report/mail/"):
        assert client.get(f"/admin/issues/{issue.pk}/{part}").status_code == 404
    assert "No issue has been sent yet." in client.get("/admin/results/").content.decode()


def test_who_sees_no_issues_sees_no_report(sent: Send) -> None:
    client = sign_in("data")
    for path in (f"/admin/issues/{sent.issue_id}/report/", "/admin/results/"):
        assert client.get(path).status_code == 302


def test_the_staff_log_says_who_did_what_and_can_be_narrowed_and_taken_away(sent: Send) -> None:
    """G10."""
    client = sign_in("approver", email="ann@example.org")
    client.post(f"/admin/issues/{sent.issue_id}/send/pause/")
    client.post(f"/admin/issues/{sent.issue_id}/hold/", {"reason": "=A formula"})
    admin = sign_in("admin")
    add_staff(email="bob@example.org", role="writer", password=PASSWORD)
    html = admin.get("/admin/staff-log/").content.decode()
    assert "bob@example.org" in html
    assert "Added to the staff" in html
    assert "the system" in html
    assert "role: writer" in html
    only = admin.get("/admin/staff-log/?person=nobody&action=newsletter.staff_added&days=1&words=bob").content.decode()
    assert only.count("Added to the staff<") == 1
    assert "No entries match these filters." in admin.get("/admin/staff-log/?words=zzz").content.decode()
    lines = b"".join(admin.get("/admin/staff-log/?as=csv").streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == AuditEntry.objects.count() + 1
    assert lines[1].rsplit(",", 1)[1] == AuditEntry.objects.order_by("-pk")[0].sha256


def test_results_begin_with_the_publication_that_went_out_last(sent: Send) -> None:
    make_publication(slug="a-first", name="A first one by name")
    assert 'value="weekly" selected' in sign_in("writer").get("/admin/results/").content.decode()
