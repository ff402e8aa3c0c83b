"""The desk's checks of an issue: what they find, where they link to, what blocks an approval, who acknowledged what."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.desk.issues.checking.measurements import describe_size
from newsletter.issues.checks.links import find_checked_links, hash_url
from newsletter.issues.snapshot.content_links import find_web_links
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import (
    Acknowledgement,
    Brand,
    EventNotice,
    Issue,
    LinkCheck,
    Publication,
    SenderDomain,
    SpamCheck,
    Story,
)
from newsletter.sending.freezing.start import start_send
from tests.support.desk import audience_fields, list_messages, sign_in
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_event,
    make_issue,
    make_source,
    make_story,
)
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    """An issue with one warning: its preheader is too short."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    made = make_issue(publication)
    Issue.objects.filter(pk=made.pk).update(preheader="Short")
    made.refresh_from_db()
    return made


def overview(issue: Issue, *, role: str = "approver") -> str:
    return compact_html(sign_in(role).get(f"/admin/issues/{issue.pk}/overview/").content.decode())


def list_warning_names(page: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('name="warning" value="')[1:]]


def hash_current_content(issue: Issue) -> str:
    return hash_content(resolve_content(Issue.objects.get(pk=issue.pk)))


def approve(client: Client, issue: Issue, **fields: object) -> object:
    return client.post(
        f"/admin/issues/{issue.pk}/approve/",
        {"sha256": hash_current_content(issue), **audience_fields(issue), **fields},
        follow=True,
    )


def test_a_warning_names_its_location_and_links_to_it(issue: Issue) -> None:
    page = overview(issue)
    assert "The preheader has 5 characters" in page
    assert f"/admin/issues/edit/{issue.pk}/#panel-child-inbox-child-preheader-wrapper" in page


def test_a_warning_names_the_other_page_on_which_it_is_fixed(issue: Issue) -> None:
    Story.objects.update(about_minor=True)
    Brand.objects.update(postal_address="")
    page = overview(issue, role="admin")
    story = Story.objects.get()
    assert re.search(rf'href="/admin/stories/edit/{story.pk}/"[^>]*>Open the story</a>', page)
    assert re.search(rf'href="/admin/brand/edit/{issue.publication.brand_id}/"[^>]*>Open the brand</a>', page)


def test_a_subject_is_shown_with_its_defaults_and_no_invented_name(issue: Issue) -> None:
    field = '{{ first_name | default:"Friend" }}'
    Issue.objects.filter(pk=issue.pk).update(subject=f"{field}, the clinic opens", preheader=f"{field}, come along")
    Issue.objects.get(pk=issue.pk).save_revision()
    client, own = sign_in("approver"), f"/admin/issues/{issue.pk}"
    pages = ("/admin/", "/admin/issues/", f"{own}/overview/", "/admin/issues/new/", f"{own}/revisions/")
    for page in pages:
        shown = client.get(page).content.decode()
        assert "Friend, the clinic opens" in shown, page
        assert "{{" not in shown, page
    assert "Friend, come along" in client.get(f"{own}/overview/").content.decode()


@pytest.mark.parametrize("field", ["subject", "preheader"])
def test_an_unknown_merge_field_is_an_error_with_a_link_to_it(issue: Issue, field: str) -> None:
    Issue.objects.filter(pk=issue.pk).update(**{field: "Good news for {{ frist_name }}"})
    page = overview(issue)
    assert "Did you mean “first_name”?" in page
    assert f'href="/admin/issues/edit/{issue.pk}/#panel-child-inbox-child-{field}-wrapper"' in page
    assert "Approve this version" not in page


def test_an_incomplete_block_is_an_error_with_a_link_to_it(issue: Issue) -> None:
    issue.body[0].value["story"] = None
    issue.save(update_fields=["body"])
    page = overview(issue)
    assert "is unfinished: “Story” is empty" in page
    assert f'href="/admin/issues/edit/{issue.pk}/#block-{issue.body[0].id}-section"' in page


def test_the_checks_beside_the_editor_have_their_own_request(issue: Issue) -> None:
    client = sign_in("writer")
    page = client.get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    address = f"/admin/issues/{issue.pk}/checks/"
    assert f'data-nl-checks-url-value="{address}"' in page
    panel = client.get(address).content.decode()
    assert "The preheader has 5 characters" in panel
    assert "Review the warnings on the issue’s page" in panel


def test_an_approval_with_an_unacknowledged_warning_is_refused(issue: Issue) -> None:
    response = approve(sign_in("approver"), issue)
    assert "a warning that nobody has acknowledged" in list_messages(response)[0]
    assert Issue.objects.get(pk=issue.pk).state == "draft"


def test_an_approvers_acknowledgement_is_recorded(issue: Issue) -> None:
    client = sign_in("approver")
    names = list_warning_names(compact_html(client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()))
    approve(client, issue, looked="yes", warning=names)
    assert Issue.objects.get(pk=issue.pk).state == "approved"
    row = Acknowledgement.objects.get()
    assert (row.person.username, row.sha256) == ("approver@example.org", hash_current_content(issue))
    assert row.message.startswith("The preheader has 5 characters")


def test_an_approver_need_not_acknowledge_what_a_writer_has(issue: Issue) -> None:
    writer = sign_in("writer")
    names = list_warning_names(overview(issue, role="editor"))
    response = writer.post(
        f"/admin/issues/{issue.pk}/seen/", {"sha256": hash_current_content(issue), "warning": names[:1]}, follow=True
    )
    assert "You marked 1 warning as reviewed" in list_messages(response)[0]
    assert "writer@example.org" in overview(issue)
    approve(sign_in("approver"), issue)
    assert Issue.objects.get(pk=issue.pk).state == "approved"


def test_a_sent_issue_shows_who_acknowledged_which_warning(issue: Issue) -> None:
    names = list_warning_names(overview(issue))
    approve(sign_in("approver"), issue, looked="yes", warning=names)
    start_send(issue=Issue.objects.get(), now=timezone.now())
    page = overview(issue)
    assert "These warnings were reviewed before approval." in page
    assert "The preheader has 5 characters" in page
    assert "approver@example.org" in page
    assert not any(asks in page for asks in ("Fix", "Edit it in the issue", "View</strong>", 'name="warning"'))


def test_warnings_need_a_new_acknowledgement_after_an_edit(issue: Issue) -> None:
    client = sign_in("approver")
    client.post(
        f"/admin/issues/{issue.pk}/seen/",
        {"sha256": hash_current_content(issue), "warning": list_warning_names(overview(issue, role="editor"))},
    )
    Issue.objects.filter(pk=issue.pk).update(subject="Other words")
    assert "a warning that nobody" in list_messages(approve(client, issue))[-1]


def test_an_acknowledgement_of_other_content_is_refused(issue: Issue) -> None:
    client, names = sign_in("writer"), list_warning_names(overview(issue))
    response = client.post(f"/admin/issues/{issue.pk}/seen/", {"sha256": "old", "warning": names}, follow=True)
    assert "edited after you opened this page" in list_messages(response)[0]
    assert not Acknowledgement.objects.exists()
    response = client.post(f"/admin/issues/{issue.pk}/seen/", {"sha256": hash_current_content(issue)}, follow=True)
    assert "You selected nothing." in list_messages(response)[0]


def test_a_review_of_warnings_that_are_gone_is_explained(issue: Issue) -> None:
    response = sign_in("writer").post(
        f"/admin/issues/{issue.pk}/seen/", {"sha256": hash_current_content(issue), "warning": ["gone"]}, follow=True
    )
    assert list_messages(response) == ["The warnings changed after you opened this page. Review them again."]


def test_a_review_of_warnings_holds_when_people_join(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_event("A march", where=LONDON)
    make_event("A walk", where=HOUSTON)
    add_subscribers(publication, 2, where=LONDON)
    add_subscribers(publication, 2, start=10)
    Publication.objects.update(max_variants=1)
    issue = make_issue(Publication.objects.get())
    client = sign_in("approver")
    page = client.get(f"/admin/issues/{issue.pk}/overview/")
    seen = {warning.name: warning.message for warning in page.context["unacknowledged"]}
    add_subscribers(publication, 1, where=LONDON, start=100)
    page = client.get(f"/admin/issues/{issue.pk}/overview/")
    now = {warning.name: warning.message for warning in page.context["unacknowledged"]}
    assert any("the rarest are merged" in message for message in now.values())
    assert set(now.values()) != set(seen.values())
    assert set(now) == set(seen)
    fields = {"sha256": page.context["sha256"], "warning": list(seen)}
    response = client.post(f"/admin/issues/{issue.pk}/seen/", fields, follow=True)
    assert f"You marked {len(seen)} warning" in list_messages(response)[0]


def test_staff_without_the_right_cannot_acknowledge_warnings(issue: Issue) -> None:
    names = list_warning_names(overview(issue))
    sign_in("data").post(f"/admin/issues/{issue.pk}/seen/", {"sha256": hash_current_content(issue), "warning": names})
    assert not Acknowledgement.objects.exists()


def test_an_event_that_will_be_over_blocks_the_approval(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    event = make_event("Evening of letters", online=True)
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    EventNotice.objects.filter(pk=event.pk).update(starts_at=NOW - timedelta(days=1))
    page = overview(issue)
    assert "The event “Evening of letters” will be over when people get this issue." in page
    assert "-section" in page.split("will be over when people get this issue")[1].split("</li>")[0]
    assert "a check failed" in list_messages(approve(sign_in("approver"), issue, looked="yes"))[0]
    assert Issue.objects.get(pk=issue.pk).state == "draft"


def test_an_event_that_has_begun_or_was_cancelled_is_a_warning(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    begun = make_event("Long march", online=True)
    make_event("Evening of letters", online=True)
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    now = timezone.now()
    EventNotice.objects.filter(pk=begun.pk).update(starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=2))
    EventNotice.objects.exclude(pk=begun.pk).update(cancelled=True)
    page = overview(issue)
    assert "“Long march” will have begun" in page
    assert "“Evening of letters” was cancelled" in page


def test_a_pseudonym_in_a_text_by_staff_needs_its_note(publication: Publication) -> None:
    make_story("The garden", teaser="Maya* plants.", pseudonyms=[["Maya", "*A pseudonym."]])
    publication.intro = "Maya writes to you today."
    publication.save()
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    assert "“Maya” is a changed name, and its note is missing here." in overview(issue)
    body = issue.body.get_prep_value()
    body[0]["value"]["text"] = "<p>Maya writes to you today. *A pseudonym.</p>"
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    assert "is a changed name" not in overview(issue)


def test_a_dead_link_is_a_warning_if_other_sites_can_be_reached(issue: Issue) -> None:

    urls = list(find_web_links(resolve_content(issue)))
    story = next(url for url in urls if "/stories/" in url)
    look = LinkCheck.objects.create(
        sha256=hash_url(story), url=story, state="unreached", message="No web site is found.", looked_at=timezone.now()
    )
    assert "does not answer" not in overview(issue)
    LinkCheck.objects.create(sha256="good", url="https://example.org/good", state="good", looked_at=timezone.now())
    assert "does not answer: No web site is found." in overview(issue)
    LinkCheck.objects.filter(pk=look.pk).update(state="good")
    assert "does not answer" not in overview(issue)


def test_an_unauthenticated_sender_blocks_real_sending(issue: Issue, settings: object) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://token@"
    assert "The DNS records of news.example.org were not checked yet." in overview(issue)
    SenderDomain.objects.create(
        domain="news.example.org",
        provider="postmark",
        looked_at=timezone.now(),
        findings=[{"check": "DMARC", "level": "error", "says": "No DMARC policy is published.", "do": "Add it."}],
    )
    assert "No DMARC policy is published. Add it." in overview(issue)
    assert "a check failed" in list_messages(approve(sign_in("approver"), issue, looked="yes"))[0]


@pytest.fixture
def unauthenticated(issue: Issue, settings: object) -> Issue:
    """An approved issue whose sending domain has lost its DMARC record."""
    settings.NEWSLETTER_PROVIDER_URL = "postmark://token@"
    SenderDomain.objects.create(domain="news.example.org", provider="postmark", looked_at=timezone.now(), findings=[])
    warnings = list_warning_names(overview(issue))
    approve(sign_in("approver"), issue, looked="yes", warning=warnings)
    SenderDomain.objects.update(
        findings=[{"check": "DMARC", "level": "error", "says": "No DMARC policy is published.", "do": "Add it."}]
    )
    issue.refresh_from_db()
    assert issue.state == Issue.State.APPROVED
    return issue


def test_a_page_promises_no_send_that_the_domain_prevents(unauthenticated: Issue) -> None:
    page = overview(unauthenticated, role="admin")
    assert "It is not sent until the sending domain is put right: No DMARC policy is published. Add it." in page
    assert "It is sent at its time" not in page
    assert "Send now" not in page
    SenderDomain.objects.update(findings=[])
    assert "It is not sent until" not in overview(unauthenticated, role="admin")
    assert "Send now" in overview(unauthenticated, role="admin")


def test_an_automatic_issue_promises_no_send_that_the_domain_prevents(unauthenticated: Issue) -> None:
    Publication.objects.update(approval="auto")
    Issue.objects.update(state=Issue.State.DRAFT, due_at=timezone.now() - timedelta(minutes=1))
    page = overview(unauthenticated, role="admin")
    assert "It is not sent until the sending domain is put right: No DMARC policy is published. Add it." in page
    assert "within minutes" not in page
    Issue.objects.update(due_at=timezone.now() + timedelta(hours=3))
    home = sign_in("admin").get("/admin/").content.decode()
    assert ("No. 1 will send automatically" in home, "No. 1 cannot be sent now" in home) == (False, True)
    assert ": cannot be sent now" in home.split("Coming up")[1]
    Issue.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    SenderDomain.objects.update(findings=[])
    assert "within minutes" in overview(unauthenticated, role="admin")


def test_send_now_says_that_the_domain_prevents_it_before_it_asks(unauthenticated: Issue, settings: object) -> None:
    settings.NEWSLETTER_PRODUCTION = True
    page = sign_in("admin").get(f"/admin/issues/{unauthenticated.pk}/send/start/sure/").content.decode()
    assert "cannot be sent now" in page
    assert "No DMARC policy is published. Add it." in page


def test_the_check_of_a_domain_leads_to_its_records(unauthenticated: Issue) -> None:
    assert 'href="/admin/setup/domain/"' in overview(unauthenticated, role="admin")
    page = overview(unauthenticated, role="approver")
    assert 'href="/admin/setup/domain/"' not in page
    assert "An administrator can put this right." in page


def test_assembling_again_adds_new_stories_and_keeps_edits(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    Issue.objects.filter(pk=issue.pk).update(subject="Our own words")
    make_story("A later story", days_old=0.5)
    response = sign_in("writer").post(f"/admin/issues/{issue.pk}/assemble/", follow=True)
    assert "Added: “A later story”." in list_messages(response)[0]
    assert "Your edits are kept: the subject" in list_messages(response)[0]
    assert Issue.objects.get(pk=issue.pk).subject == "Our own words"


def test_staff_who_may_not_edit_cannot_assemble_again(issue: Issue) -> None:
    before = Issue.objects.get(pk=issue.pk).body.get_prep_value()
    sign_in("data").post(f"/admin/issues/{issue.pk}/assemble/")
    assert Issue.objects.get(pk=issue.pk).body.get_prep_value() == before


def test_the_picker_gives_the_true_reason_why_an_event_was_left_out(issue: Issue) -> None:
    issue.publication.sources.add(make_source())
    make_event("Bus", days_ahead=9, source=make_source("Another calendar"), zone="America/Chicago")
    make_event("Far off", days_ahead=300)
    make_event("Too soon", days_ahead=0.5)
    client = sign_in("writer")
    editor = f"http://testserver/admin/issues/edit/{issue.pk}/"
    with time_machine.travel(NOW, tick=False):
        page = client.get(
            "/admin/snippets/choose/newsletter/eventnotice/", headers={"referer": editor}
        ).content.decode()
    assert re.search(r"Bus \(13 Mar 2026\).*?left out: this publication does not use its source", page, re.DOTALL)
    assert "left out: too far ahead: the issue covers the next 30 days" in page
    assert "left out: it begins before the issue goes out" in page
    assert "Fri 13 Mar 2026, 04:30 (Chicago time)" in page


def test_the_picker_says_why_each_story_is_in_or_out_of_the_issue(issue: Issue) -> None:
    make_story("Another language", language="es")
    client = sign_in("writer")
    editor = f"http://testserver/admin/issues/edit/{issue.pk}/"
    page = client.get("/admin/snippets/choose/newsletter/story/", headers={"referer": editor}).content.decode()
    assert "in: newest" in page
    assert "written in another language (es)" in page
    plain = client.get("/admin/snippets/choose/newsletter/story/").content.decode()
    assert "In this issue" not in plain


def test_links_that_do_not_answer_are_named_and_not_passed(issue: Issue, settings: object) -> None:
    settings.NEWSLETTER_LINK_CHECKS = True
    Issue.objects.filter(pk=issue.pk).update(
        subject="The clinic opens", preheader="A preheader of forty characters or more."
    )
    issue.refresh_from_db()
    links = find_checked_links(resolve_content(issue))
    for url in links:
        LinkCheck.objects.create(sha256=hash_url(url), url=url, state="unreached", message="", looked_at=timezone.now())
    page = overview(issue)
    assert "All checks passed" not in page
    assert f"No errors and no warnings, but {len(links)} links do not answer." in page
    for url in links:
        assert re.search(rf"Open these yourself: [^<]*{re.escape(url)}", page)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (21_560, "The mail is 22 kB. Gmail cuts mails off at 102 kB, so it can grow by 80 kB."),
        (101_900, "The mail is 102 kB. Gmail cuts mails off at 102 kB, so it can grow by 0 kB."),
        (102_450, "The mail is 102 kB. Gmail cuts mails off at 102 kB."),
    ],
)
def test_the_sizes_of_a_mail_add_up(size: int, text: str) -> None:
    assert describe_size(size) == text


def test_the_checks_say_size_subject_links_and_spam_score(issue: Issue, settings: object) -> None:
    settings.NEWSLETTER_LINK_CHECKS = True
    Issue.objects.filter(pk=issue.pk).update(subject="The clinic opens its doors on two evenings a week")
    issue.refresh_from_db()
    content = resolve_content(issue)
    SpamCheck.objects.create(issue=issue, sha256=hash_content(content), score=1.5, looked_at=timezone.now())
    page = overview(issue)
    assert re.search(r"The mail is \d+ kB. Gmail cuts mails off at 102 kB, so it can grow by \d+ kB\.", page)
    assert "The subject has 49 characters. Phones show about 32." in page
    assert "Links: 2 are not checked yet: this happens in the background within minutes." in page
    assert "Spam score: 1.5 (filters act at 5)." in page


@pytest.mark.parametrize(("where", "told"), [({}, True), (HOUSTON, False)])
def test_the_page_says_if_nobody_sees_an_event(publication: Publication, where: dict[str, object], told: bool) -> None:
    make_story("The clinic opens its doors")
    make_event("Open evening", where=HOUSTON)
    add_subscribers(publication, 2, where=where)
    page = overview(make_issue(publication))
    assert ("Nobody sees the event: it is near no subscriber whose town we know." in page) == told


def test_towns_are_not_the_reason_if_a_publication_shows_no_events(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_event("Open evening", where=HOUSTON)
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    Publication.objects.update(events=0)
    issue = Issue.objects.get()
    assert "events" in [block.block_type for block in issue.body]
    page = overview(issue)
    assert "The publication shows no events" in page
    assert "near no subscriber" not in page


def test_link_states_are_counted_on_the_page(issue: Issue, settings: object) -> None:
    settings.NEWSLETTER_LINK_CHECKS = True
    for url, state in zip(find_web_links(resolve_content(issue)), ["good", "dead"], strict=True):
        LinkCheck.objects.create(sha256=hash_url(url), url=url, state=state, looked_at=timezone.now())
    assert "Links: 1 link answers, 1 is not found." in overview(issue)


@time_machine.travel(NOW, tick=True)
def test_the_approver_of_a_new_issue_reads_of_unchecked_links(publication: Publication, settings: object) -> None:
    settings.NEWSLETTER_LINK_CHECKS = True
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    client = sign_in("approver")
    client.post("/admin/issues/new/", {"publication": publication.pk, "beginning": "rules", "public_id": "c" * 24})
    issue = Issue.objects.get()
    url, told = f"/admin/issues/{issue.pk}/overview/", "2 links are not checked yet. This happens in the background"
    decision = client.get(url).content.decode().partition('id="nl-decide"')[2].partition("</section>")[0]
    assert told in decision
    assert "Approve this version" in decision
    settings.NEWSLETTER_LINK_CHECKS = False
    assert "not checked yet" not in client.get(url).content.decode()
    settings.NEWSLETTER_LINK_CHECKS = True
    for link in find_web_links(resolve_content(issue)):
        LinkCheck.objects.create(sha256=hash_url(link), url=link, state="good", looked_at=timezone.now())
    assert "not checked yet" not in client.get(url).content.decode()


def test_links_are_checked_again_when_somebody_asks(issue: Issue, settings: object) -> None:
    client, page = sign_in("writer"), f"/admin/issues/{issue.pk}/overview/"
    settings.NEWSLETTER_LINK_CHECKS = False
    assert "Check the links again" not in client.get(page).content.decode()
    settings.NEWSLETTER_LINK_CHECKS = True
    assert "Check the links again" in client.get(page).content.decode()
    url, now = next(iter(find_web_links(resolve_content(issue)))), timezone.now()
    LinkCheck.objects.create(sha256=hash_url(url), url=url, state="dead", message="gone.", looked_at=now)
    response = client.post(f"/admin/issues/{issue.pk}/check-links/", follow=True)
    assert "2 links are being checked again." in list_messages(response)[0]
    assert f"The link to {url} leads nowhere" in response.content.decode()
    assert LinkCheck.objects.get().looked_at <= timezone.now() - timedelta(days=1)
