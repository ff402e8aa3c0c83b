"""The report of an issue and the results of a publication: numbers, clicks, click map, CSV and comparison."""

import csv
import io
import re
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from wagtail.users.models import UserProfile

from newsletter.desk.home.issue_tasks import find_issue_tasks
from newsletter.desk.home.panel import list_rates
from newsletter.desk.sends.click_map import find_link_texts
from newsletter.desk.sends.report_charts import draw_blocks
from newsletter.desk.sends.report_pages import find_largest_variant
from newsletter.desk.sends.report_text import list_report_rows
from newsletter.desk.shell.charts import Point, draw_line
from newsletter.feedback.report import BlockClicks, make_report, measure_sends
from newsletter.inbound.settings import parse_sources
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.variants.mail_links import list_destinations, make_click_url, make_link_key
from newsletter.models import (
    AuditEntry,
    Batch,
    Delivery,
    DeliveryException,
    Issue,
    LinkClicks,
    Publication,
    Send,
    ShownItem,
    StoryPlacement,
    Variant,
)
from newsletter.models.feedback import Bounce
from newsletter.organisation.accounts.staff import add_staff
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.delivered_bitmap import Handover, mark_delivered
from newsletter.sending.settling.receipt import make_receipt, make_receipts
from tests.support.desk import PASSWORD, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.page_html import compact_html
from tests.support.people import make_member
from tests.support.repeated_rows import repeat_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(publication: Publication) -> Send:
    """Make an issue with click counts for 50 people: 2 bounced, 1 complained, 3 unsubscribed."""
    made = _make_sent(publication)
    publication.refresh_from_db()
    return made


@repeat_rows
def _make_sent(publication: Publication) -> Send:
    Publication.objects.update(clicks="counts")
    make_story("=The clinic opens its doors")
    add_subscribers(publication, 50)
    return send_out(make_issue(Publication.objects.get(pk=publication.pk)))


def send_out(issue: Issue) -> Send:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=issue, now=NOW)
    Batch.objects.filter(send=send).update(state="accepted", settled_at=NOW)
    deliveries = list(Delivery.objects.filter(batch__send=send).order_by("pk"))
    for number, fact in enumerate(["bounced_at", "bounced_at", "complained_at", *["unsubscribed_at"] * 3]):
        DeliveryException.objects.create(delivery=deliveries[number], at=NOW, **{fact: NOW})
    Send.objects.filter(pk=send.pk).update(state="submitted", ended_at=NOW, provider="mailgun")
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    return Send.objects.get(pk=send.pk)


def click(send: Send, url: str, *, people: int, machines: int = 0) -> None:
    LinkClicks.objects.create(
        issue=send.issue, link=make_link_key(url), url=url, day=NOW.date(), people=people, machines=machines
    )


def first_target() -> str:
    return list_destinations(Variant.objects.get().html)[0]


def page(send: Send, client: Client, suffix: str = "") -> str:
    return client.get(f"/admin/issues/{send.issue_id}/report/{suffix}").content.decode()


def test_a_report_of_a_send_to_files_does_not_say_accepted(sent: Send) -> None:
    Send.objects.update(provider="outbox")
    html = page(sent, sign_in("writer"))
    assert "Written to files" in html
    for words in (
        "from the provider’s answers",
        "by mail</td>",
        "Bounced",
        "Reported as spam",
        "reported no deliveries",
    ):
        assert words not in html
    assert "Written to files" in sign_in("writer").get("/admin/results/").content.decode()


def test_a_report_counts_outcomes_and_marks_high_ones(sent: Send) -> None:
    Send.objects.update(provider="mailgun")
    html = page(sent, sign_in("writer"))
    for label in ("Recipients", "Accepted", "Bounced", "Reported as spam", "Unsubscribed", "Counted by"):
        assert label in html
    assert "100 %" in html
    assert "4.0 %" in html
    assert html.count("too many") == 1
    assert "The provider has reported no deliveries" in html


def test_each_card_of_a_report_says_who_counted(sent: Send) -> None:
    DeliveryException.objects.create(delivery=Delivery.objects.latest("pk"), state="rejected", at=NOW)
    click(sent, first_target(), people=7, machines=9)
    html = page(sent, sign_in("writer"))
    cards = [card.split("</section>")[0] for card in html.split('<section class="nl-card')[1:]]
    assert len(cards) == 5
    assert [card[:80] for card in cards if "ounted by" not in card] == []
    assert "Counted by us, from the provider’s answers." in html


def test_each_number_of_a_report_names_what_it_is_counted_from(sent: Send) -> None:
    figures = make_report(sent).figures
    figures = replace(figures, clicks=7, receipt=replace(figures.receipt, delivered=40))
    assert {row.name: row.counted_by for row in list_report_rows(figures, [])} == {
        "recipients": "us",
        "accepted": "us, from the provider’s answers",
        "delivered": "us, from the provider’s reports",
        "bounced": "us, from reports of the provider or by mail",
        "complained": "us, from reports of the provider or by mail",
        "unsubscribed": "us, also from the provider’s reports",
        "clicks": "us",
    }


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        (
            "mailgun",
            "We count deliveries, bounces and reports of spam from what the provider and other mail servers report",
        ),
        (
            "outbox",
            "We count these numbers ourselves. The mails were written to files, so no provider reports anything.",
        ),
    ],
)
def test_home_and_the_delivery_summary_say_who_counted(sent: Send, provider: str, says: str) -> None:
    Send.objects.update(provider=provider)
    client = sign_in("writer")
    last = client.get("/admin/").content.decode().split('id="nl-last"')[1].split("</section>")[0]
    assert says in last
    assert says in client.get(f"/admin/issues/{sent.issue_id}/overview/").content.decode()


def test_home_shows_the_rates_of_the_report(sent: Send) -> None:
    DeliveryException.objects.create(delivery=Delivery.objects.latest("pk"), state="rejected", at=NOW)
    receipt = make_report(sent).figures.receipt
    shown = {row.label: row.share for row in list_report_rows(make_report(sent).figures, [])}
    assert {rate.label: rate.share for rate in list_rates(receipt)}.items() <= shown.items()
    assert (shown["Accepted"], shown["Bounced"]) == ("98.0 %", "4.1 %")


@pytest.mark.parametrize(("complaints", "alarm"), [(2, False), (3, True)])
def test_a_report_marks_complaints_from_the_number_that_notices_do(sent: Send, complaints: int, alarm: bool) -> None:
    DeliveryException.objects.all().delete()
    for delivery in Delivery.objects.order_by("-pk")[:complaints]:
        DeliveryException.objects.create(delivery=delivery, at=NOW, complained_at=NOW)
    [row] = [row for row in list_report_rows(make_report(sent).figures, []) if row.name == "complained"]
    assert (row.value, row.alarm) == (complaints, alarm)


def test_home_warns_of_bounces_by_the_rate_of_the_report(publication: Publication) -> None:
    make_story("=The clinic opens its doors")
    add_subscribers(publication, 110)
    sent = send_out(make_issue(publication))
    assert find_issue_tasks(now=NOW, person=AnonymousUser())[-1] == []
    for delivery in Delivery.objects.order_by("-pk")[:40]:
        DeliveryException.objects.create(delivery=delivery, state="rejected", at=NOW)
    rows = list_report_rows(make_report(sent).figures, [])
    assert [(row.share, row.alarm) for row in rows if row.name == "bounced"] == [("2.9 %", True)]
    [task] = find_issue_tasks(now=NOW, person=AnonymousUser())[-1]
    assert "2.9 % of " in task.detail


def test_home_and_the_report_do_not_warn_of_unsent_mails(publication: Publication) -> None:
    make_story("=The clinic opens its doors")
    add_subscribers(publication, 50)
    sent = send_out(make_issue(publication))
    [before] = find_issue_tasks(now=NOW, person=AnonymousUser())[-1]
    assert "4.0 % of " in before.detail
    for row in DeliveryException.objects.filter(bounced_at__isnull=False):
        Bounce.objects.create(delivery=row.delivery, bounce_class=Bounce.Class.SUPPRESSED, at=NOW)
    assert find_issue_tasks(now=NOW, person=AnonymousUser())[-1] == []
    rows = {row.name: row for row in list_report_rows(make_report(sent).figures, [])}
    assert (rows["bounced"].value, rows["bounced"].alarm) == (0, False)
    assert (rows["unsent"].value, rows["unsent"].label) == (2, "Not sent: on your provider’s own list")
    summary = compact_html(sign_in("writer").get(f"/admin/issues/{sent.issue_id}/overview/").content.decode())
    assert '<td>2</td><th scope="row">not sent: on your provider’s own list</th>' in summary


@pytest.mark.parametrize(("people", "warns"), [(100, False), (99, True)])
def test_home_and_the_report_warn_at_the_same_rate(publication: Publication, people: int, warns: bool) -> None:
    make_story("=The clinic opens its doors")
    add_subscribers(publication, people)
    sent = send_out(make_issue(publication))
    [bounced] = [row for row in list_report_rows(make_report(sent).figures, []) if row.name == "bounced"]
    assert (bounced.alarm, bool(find_issue_tasks(now=NOW, person=AnonymousUser())[-1])) == (warns, warns)


def test_the_report_and_the_results_name_an_issue_in_the_language_of_staff(sent: Send) -> None:
    client = sign_in("approver")
    UserProfile.objects.update_or_create(
        user=User.objects.get(username="approver@example.org"), defaults={"preferred_language": "es"}
    )
    for path in (f"/admin/issues/{sent.issue_id}/report/", "/admin/results/"):
        page = compact_html(client.get(path).content.decode())
        assert f"{sent.issue.publication.name} N.º {sent.issue.number}" in page, path
        assert f"{sent.issue.publication.name} No. {sent.issue.number}" not in page, path


def test_the_results_of_issues_say_who_counted(sent: Send) -> None:
    html = sign_in("writer").get("/admin/results/?publication=weekly").content.decode()
    assert "from what the provider and other mail servers report to us" in html


def test_a_link_is_labelled_by_its_text_before_its_image() -> None:
    href = "https://ours.example.org/r/issue/0123456789abcdef0123456789abcdef?to=https://example.org/story"
    mail = f'<a href="{href}"><img alt="A river between fields"></a><a href="{href}">The river has a map</a>'
    assert find_link_texts(mail) == {"https://example.org/story": "The river has a map"}
    assert find_link_texts(f'<a href="{href}"><img alt="A river"></a>') == {"https://example.org/story": "A river"}


def test_a_link_of_a_small_variant_is_labelled_by_its_text(sent: Send) -> None:
    largest = Variant.objects.get()
    Batch.objects.update(size=47)
    href = make_click_url(issue=sent.issue.public_id, url="https://example.org/choir")
    small = Variant.objects.create(
        issue=sent.issue, revision=largest.revision, key="small", public_id="small", language="en", subject="s",
        html=f'<a href="{escape(href)}">A choir evening</a>', text="", sha256="0" * 64,
    )  # fmt: skip
    Batch.objects.create(send=sent, seq=2, variant=small, part=0, size=3, key="small", state="accepted")
    click(sent, "https://example.org/choir", people=2)
    assert "A choir evening" in page(sent, sign_in("writer"))


def test_the_click_map_shows_the_variant_with_most_people(sent: Send) -> None:
    largest = Variant.objects.get()
    Batch.objects.update(size=20)
    other = Variant.objects.create(
        issue=sent.issue, revision=largest.revision, key="other", public_id="other", language="en", subject="s",
        html="<a>", text="", sha256="0" * 64,
    )  # fmt: skip
    for seq in (11, 12):
        Batch.objects.create(send=sent, seq=seq, variant=other, part=seq, size=15, key=f"other{seq}", state="accepted")
    assert find_largest_variant(sent) == other


def test_clicks_are_listed_by_link_with_automatic_ones_separate(sent: Send) -> None:
    click(sent, first_target(), people=7, machines=9)
    html = page(sent, sign_in("writer"))
    assert "Clicks by people (estimate)" in html
    assert "9 more clicks look automatic" in html
    assert "Links by clicks" in html
    assert first_target() in html


def test_one_click_is_not_called_clicks(sent: Send) -> None:
    click(sent, first_target(), people=1, machines=1)
    html = page(sent, sign_in("writer"))
    assert "1 click by people." in html
    assert "1 more click looks automatic" in html


def test_a_report_without_click_counts_says_how_to_turn_them_on(sent: Send) -> None:
    assert "No clicks yet." in page(sent, sign_in("writer"))
    Publication.objects.update(clicks="off")
    assert "does not count clicks" in page(sent, sign_in("editor"))


def test_the_click_map_shows_numbers_and_runs_no_script(sent: Send) -> None:
    click(sent, first_target(), people=7)
    response = sign_in("writer").get(f"/admin/issues/{sent.issue_id}/report/mail/")
    html = response.content.decode()
    assert html.count('title="7 clicks"') == list_destinations(Variant.objects.get().html).count(first_target())
    assert 'title="0 clicks"' in html
    assert "__pv_" not in html
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.requirement("D1")
def test_the_csv_has_figures_links_and_variants_without_formulas(sent: Send) -> None:
    click(sent, first_target(), people=7, machines=9)
    response = sign_in("writer").get(f"/admin/issues/{sent.issue_id}/report/?as=csv")
    assert 'filename="weekly-1.csv"' in response.headers["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    figures = dict(zip(lines[0], lines[1], strict=True))
    assert (figures["accepted"], figures["bounced"], figures["unsubscribed"]) == ("50", "2", "3")
    assert figures["subject"].startswith("'=")
    assert [first_target(), "7", "9"] in [[line[0], *line[2:]] for line in lines if len(line) == 4]


def test_the_csv_says_who_counted_each_figure(sent: Send) -> None:
    address = f"/admin/issues/{sent.issue_id}/report/?as=csv"
    client = sign_in("writer")
    lines = list(csv.reader(io.StringIO(client.get(address).content.decode("utf-8-sig"))))
    counted_by = dict(lines[lines.index(["figure", "counted_by"]) + 1 :])
    assert set(lines[0]) - {"issue", "subject", "sent_at"} < set(counted_by)
    assert counted_by["recipients"] == "us"
    assert counted_by["accepted"] == "us, from the provider’s answers"
    assert counted_by["delivered"] == "nobody: the provider reported no delivery"
    assert counted_by["gifts"] == "your donation system"
    shown = page(sent, client)
    assert all(f">{who}</td>" in shown for who in (counted_by["accepted"], counted_by["bounced"]))
    Send.objects.filter(pk=sent.pk).update(provider="outbox")
    text = client.get("/admin/results/?publication=weekly&as=csv").content.decode("utf-8-sig")
    (issue,) = csv.DictReader(io.StringIO(text))
    assert issue["accepted_counted_by"] == "us"
    assert issue["delivered_counted_by"] == issue["bounced_counted_by"] == "nobody: the mails were written to files"


def test_the_csv_names_nobody_for_figures_that_were_not_counted(sent: Send) -> None:
    client, read = sign_in("writer"), (f"/admin/issues/{sent.issue_id}/report/", "/admin/results/?publication=weekly&")

    def read_counters() -> list[dict[str, str]]:
        report = client.get(f"{read[0]}?as=csv").content.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(report)))
        (row,) = csv.DictReader(io.StringIO(client.get(f"{read[1]}as=csv").content.decode("utf-8-sig")))
        names = ("delivered", "clicks", "clicks_of_machines")
        counted_by = dict(lines[lines.index(["figure", "counted_by"]) + 1 :])
        return [{name: counted_by[name] for name in names}, {name: row[f"{name}_counted_by"] for name in names}]

    nobody = dict.fromkeys(("clicks", "clicks_of_machines"), "nobody: no click was counted")
    nobody["delivered"] = "nobody: the provider reported no delivery"
    assert read_counters() == [nobody, nobody]
    click(sent, first_target(), people=0, machines=1)
    mark_delivered({Delivery.objects.latest("pk").pk: Handover(sent.pk, "default")}, at=NOW)
    ours = {"clicks": "us", "clicks_of_machines": "us", "delivered": "us, from the provider’s reports"}
    assert read_counters() == [ours, ours]


def test_results_show_trends_and_compare_selected_issues(sent: Send) -> None:
    first = sent
    Issue.objects.filter(pk=first.issue_id).update(number=7)
    add_subscribers(first.issue.publication, 10, start=50)
    second = another(first)
    client = sign_in("writer")
    html = client.get("/admin/results/?publication=weekly").content.decode()
    assert html.count('role="img"') == 3
    assert "Accepted: 60 (No. 8, 4 Mar). Last 2 issues: 50 to 60." in html
    assert "“Usually” is the issue before it." in page(second, client)
    compared = client.get(f"/admin/results/?publication=weekly&issue={first.issue_id}").content.decode()
    assert "No. 7" in compared
    assert "No. 8" not in compared
    lines = client.get("/admin/results/?publication=weekly&as=csv").content.decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["weekly/8", "weekly/7"]
    assert client.get("/admin/results/?publication=nothing").status_code == 404


def test_clicks_are_shown_by_block_and_by_day(sent: Send) -> None:
    story_url = sent.revision.content["blocks"][0]["story"]["url"]
    click(sent, story_url, people=5)
    click(sent, "https://example.org/elsewhere", people=2)
    report = make_report(sent)
    assert [block.people for block in report.blocks] == [5, 2]
    assert report.blocks[-1].title == ""
    assert report.days == [(NOW.date(), 7)]
    html = page(sent, sign_in("writer"))
    assert "Clicks by block" in html
    assert "When people clicked" in html


def test_a_report_says_how_the_list_changed_in_the_week_after(sent: Send) -> None:
    weekly = sent.issue.publication.mailing_list
    make_member(weekly, "late@example.org").subscriptions.update(requested_at=sent.started_at + timedelta(days=2))
    weekly.subscriptions.filter(subscriber__email__in=["person1@example.com", "person2@example.com"]).update(
        ended_at=sent.started_at + timedelta(days=1), end_reason="unsubscribe"
    )
    change = make_report(sent).list_change
    assert (change.joined, change.ended) == (1, {"unsubscribe": 2})
    assert ">In the week after<" in page(sent, sign_in("writer"))


def another(first: Send, *, number: int = 8) -> Send:
    """Make the publication's next issue, a week later."""
    Issue.objects.filter(pk=first.issue_id).update(slot=None)
    StoryPlacement.objects.all().delete()
    ShownItem.objects.all().delete()
    issue = Issue.objects.create(
        publication=first.issue.publication,
        number=number,
        public_id=f"{number:032}",
        made_at=NOW,
        subject="The next",
        body=[],
    )
    issue.body = first.issue.body
    issue.save()
    send = send_out(issue)
    Send.objects.filter(pk=first.pk).update(started_at=NOW.replace(day=1))
    return send


def test_usually_is_the_median_of_the_issues_before(sent: Send) -> None:
    (figures,) = measure_sends([sent])
    earlier = [replace(figures, receipt=replace(figures.receipt, recipients=people)) for people in (60, 10, 11)]
    rows = {row.name: row for row in list_report_rows(figures, earlier)}
    assert (rows["recipients"].value, rows["recipients"].usual) == (50, "11")
    assert len(rows) == len(list_report_rows(figures, earlier))


@pytest.mark.long
def test_a_report_compares_with_the_ten_issues_before_it(sent: Send) -> None:
    for number in range(2, 14):
        send = another(sent, number=number)
        Send.objects.filter(pk=send.pk).update(started_at=NOW - timedelta(days=7 * number))
    Send.objects.filter(pk=sent.pk).update(started_at=NOW)
    sent.refresh_from_db()
    assert [one.issue.number for one in make_report(sent).earlier] == list(range(2, 12))


def test_an_unsent_issue_has_no_report_and_no_results(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    client = sign_in("writer")
    for part in ("report/", "report/mail/"):
        assert client.get(f"/admin/issues/{issue.pk}/{part}").status_code == 404
    assert "No issue has been sent yet." in client.get("/admin/results/").content.decode()


def test_reports_need_permission_to_see_issues(sent: Send) -> None:
    client = sign_in("data")
    for path in (f"/admin/issues/{sent.issue_id}/report/", "/admin/results/"):
        assert client.get(path).status_code == 302


@pytest.mark.requirement("G10")
def test_the_staff_log_is_filtered_and_downloaded(sent: Send) -> None:
    client = sign_in("approver", email="ann@example.org")
    client.post(f"/admin/issues/{sent.issue_id}/send/pause/")
    client.post(f"/admin/issues/{sent.issue_id}/hold/", {"reason": "=A formula"})
    admin = sign_in("admin")
    add_staff(email="bob@example.org", role="writer", password=PASSWORD)
    html = admin.get("/admin/staff-log/").content.decode()
    assert "bob@example.org" in html
    assert "Added to the staff" in html
    assert "the system" in html
    assert "role: Writer" in html
    only = admin.get("/admin/staff-log/?person=nobody&action=newsletter.staff_added&days=1&words=bob").content.decode()
    assert only.count("Added to the staff<") == 1
    assert "No entries match these filters." in admin.get("/admin/staff-log/?words=zzz").content.decode()
    lines = b"".join(admin.get("/admin/staff-log/?as=csv").streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == AuditEntry.objects.count() + 1
    assert lines[1].rsplit(",", 1)[1] == AuditEntry.objects.order_by("-pk")[0].sha256


def test_results_name_a_correction_and_draw_only_issues(sent: Send) -> None:
    add_subscribers(sent.issue.publication, 10, start=50)
    correction = another(sent)
    Issue.objects.filter(pk=correction.issue_id).update(kind="correction", number=1)
    client = sign_in("writer")
    html = client.get("/admin/results/?publication=weekly").content.decode()
    assert ">Correction 1</a>" in html
    assert html.count(">No. 1</a>") == 1
    assert 'role="img"' not in html
    assert "“Usually”" not in page(correction, client)
    assert "Last issue" in (home := client.get("/admin/").content.decode())
    assert "The weekly letter No. 1" in home.split('id="nl-last"')[1].split("</section>")[0]


def test_results_start_with_the_publication_sent_last(sent: Send) -> None:
    make_publication(slug="a-first", name="A first one by name")
    assert 'value="weekly" selected' in sign_in("writer").get("/admin/results/").content.decode()


def test_an_issue_that_counted_no_clicks_is_not_drawn_as_zero_clicks(publication: Publication) -> None:
    make_story("The first verdict")
    make_story("The second verdict")
    add_subscribers(publication, 10)
    Publication.objects.update(clicks="counts", stories=1)
    sends = [send_out(issue) for issue in _make_two_issues(Publication.objects.get(pk=publication.pk))]
    click(sends[0], "https://example.org/one", people=7)
    html = sign_in("writer").get("/admin/results/?publication=weekly").content.decode()
    assert '<span class="nl-quiet">Clicks by people: 7 (No. 1, 4 Mar).</span>' in html


def test_a_block_without_a_heading_is_named_by_its_kind() -> None:
    chart = draw_blocks([BlockClicks("", 3, "related"), BlockClicks("A choir", 2, "stories"), BlockClicks("", 1)])
    labels = re.findall(r'<th scope="row">(.*?)</th>', chart)
    assert labels == ["Further reading", "A choir", "Other links"]


def test_a_line_is_filled_only_down_to_zero() -> None:
    assert "nl-chart__ground" in draw_line([Point("a", 0), Point("b", 9)], title="t", summary="s", unit="u")
    assert "nl-chart__ground" not in draw_line([Point("a", 900), Point("b", 950)], title="t", summary="s", unit="u")


def _make_two_issues(publication: Publication) -> list[Issue]:
    first = make_issue(publication)
    second = create_issue(publication=publication, beginning=Beginning.RULES, by=None, now=NOW)
    return [first, second]


def test_the_receipts_of_several_sends_are_read_at_once(publication: Publication) -> None:
    make_story("The first verdict")
    make_story("The second verdict")
    add_subscribers(publication, 50)
    Publication.objects.update(stories=1)
    one, other = (send_out(issue) for issue in _make_two_issues(Publication.objects.get(pk=publication.pk)))
    apart = [make_receipt(send) for send in (one, other)]
    assert [receipt.bounced for receipt in apart] == [2, 2]
    with CaptureQueriesContext(connection) as queries:
        assert make_receipts([one, other]) == apart
    assert sum('FROM "newsletter_batch"' in query["sql"] for query in queries.captured_queries) == 1
    Send.objects.filter(pk=one.pk).update(totals={**asdict(apart[0]), "bounced": 7})
    one.refresh_from_db()
    assert [receipt.bounced for receipt in make_receipts([other, one, other])] == [2, 7, 2]
    assert make_receipts([]) == []


@pytest.mark.parametrize(("inbound", "shown"), [([], "–"), (["imaps://a:b@mail.example.org/INBOX"], "0 %")])
def test_bounces_that_nobody_can_report_are_a_dash(
    sent: Send, settings: LazySettings, inbound: list[str], shown: str
) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(inbound)
    Send.objects.update(provider="smtp (mail.example.org)")
    DeliveryException.objects.all().delete()
    results = compact_html(sign_in("writer").get("/admin/results/").content.decode())
    for label in ("Bounced", "Reported as spam"):
        assert f'data-label="{label}">{shown}</td>' in results.replace("> ", ">").replace(" <", "<")
    assert ("Bounced" in page(sent, sign_in("writer", email="other@example.org"))) is bool(inbound)


def test_bounces_are_a_dash_until_the_provider_reports_anything(sent: Send) -> None:
    DeliveryException.objects.all().delete()
    client = sign_in("writer")
    overview = f"/admin/issues/{sent.issue_id}/overview/"

    def read(path: str) -> str:
        return compact_html(client.get(path).content.decode()).replace("> ", ">").replace(" <", "<")

    assert 'data-label="Bounced">–</td>' in read("/admin/results/")
    assert "reported as spam</th>" not in read(overview)
    assert "Bounced" not in read("/admin/")
    assert (
        "nobody: the provider reported nothing"
        in client.get(f"/admin/issues/{sent.issue_id}/report/?as=csv").content.decode()
    )
    mark_delivered({Delivery.objects.latest("pk").pk: Handover(sent.pk, "default")}, at=NOW)
    assert 'data-label="Bounced">0 %</td>' in read("/admin/results/")
    assert '0</td><th scope="row">reported as spam</th>' in read(overview)
    assert "Bounced" in read("/admin/")
