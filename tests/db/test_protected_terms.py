"""Protected terms are in no mail, page, feed or calendar, and are stored only encrypted."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, connection, transaction
from django.test import Client, override_settings
from icalendar import Calendar

from newsletter.common.errors import NotAllowed, NotReady
from newsletter.issues.approval.approve import approve_by_policy, approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.protected_terms.check import replace_protected_text, scan_for_protected_terms
from newsletter.issues.protected_terms.encryption import is_sealed_with_newest_key, seal, unseal
from newsletter.issues.protected_terms.terms import (
    BadTerms,
    add_terms,
    count_unreadable_terms,
    list_terms,
    remove_terms,
    reseal_terms,
    reveal_term,
)
from newsletter.issues.snapshot.calendar_links import make_calendar_name
from newsletter.issues.snapshot.records.blocks import LeadStoryBlock
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.jobs.staff_notices import notify_assembly
from newsletter.models import (
    Attempt,
    AuditEntry,
    Batch,
    Brand,
    EventNotice,
    Issue,
    ProtectedTerm,
    Publication,
    Send,
    StaffNotice,
    Story,
    Variant,
)
from newsletter.sending.dispatching.claim import claim_batch, find_due_batches
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.send_window import enforce_send_window, pause_protected
from newsletter.sending.notices.proofs import send_proofs
from newsletter.sending.provider import current_adapter
from newsletter.sending.settling.send_controls import resume_send
from tests.support.fixtures import (
    DUE,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "Marisol Quintanilla"
MASKED = "M••• Q•••"


def keeper() -> User:
    """Somebody who looks after people."""
    person, _ = User.objects.get_or_create(username="data@example.org", defaults={"email": "data@example.org"})
    person.user_permissions.add(Permission.objects.get(codename="change_protectedterm"))
    return User.objects.get(pk=person.pk)


def protect(*terms: str, note: str = "") -> list[ProtectedTerm]:
    return add_terms(lines="\n".join(terms), note=note, by=keeper(), now=NOW).terms


def codes(issue: Issue) -> list[tuple[str, str]]:
    return [(one.block, one.field) for one in scan_for_protected_terms(resolve_content(issue)).findings]


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    make_event("An evening of letters", where=LONDON, summary="Bring a pen.")
    add_subscribers(publication, 3, where=LONDON)
    return make_issue(publication)


# ------------------------------------------------------------------------------------------------ the list


@pytest.mark.requirement("V3")
def test_terms_are_encrypted_in_every_table() -> None:
    """A name of its own: the tables of the search keep words of stories from other tests."""
    (term,) = protect("Beatriz Etxeberria", note="Story of May")
    assert reveal_term(term=term, by=keeper()) == "Beatriz Etxeberria"
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert "etxeberria" not in repr(cursor.fetchall()).lower(), table


@pytest.mark.requirement("V3")
def test_logs_about_terms_do_not_contain_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (term,) = protect(SECRET)
    remove_terms(ids=[term.pk], by=keeper())
    assert "quintanilla" not in (caplog.text + repr(list(AuditEntry.objects.values())) + str(term)).lower()


@pytest.mark.requirement("V3")
def test_a_term_is_stored_once_in_any_spelling() -> None:
    protect(SECRET)
    again = add_terms(lines="marisol-QUINTANILLA\n\nK-2031-77\nLi", note="", by=keeper(), now=NOW)
    assert (len(again.terms), again.known, again.short) == (2, 1, 1)
    for bad in ({"sealed": "", "digest": "x"}, {"sealed": "x", "digest": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProtectedTerm.objects.create(made_at=NOW, **bad)


@pytest.mark.parametrize(
    ("lines", "note", "says"),
    [
        ("", "", "Nothing was written"),
        (f"{SECRET}\n…\n?\n", "", "Lines 2, 3: too short"),
        (f"{SECRET}\n{'x' * 201}", "", "Line 2: longer than 200"),
        (SECRET, "the real name of marisol quintanilla", "The note contains a term"),
    ],
)
@pytest.mark.requirement("V3")
def test_an_invalid_term_is_named_by_its_line(lines: str, note: str, says: str) -> None:
    with pytest.raises(BadTerms, match=says) as caught:
        add_terms(lines=lines, note=note, by=keeper(), now=NOW)
    assert "arisol" not in str(caught.value)
    assert not ProtectedTerm.objects.exists()


@pytest.mark.requirement("V3")
def test_terms_need_the_permission_for_people() -> None:
    (term,) = protect(SECRET)
    writer = make_approver()
    for deed in (
        lambda: add_terms(lines="A name", note="", by=writer, now=NOW),
        lambda: reveal_term(term=term, by=writer),
        lambda: remove_terms(ids=[term.pk], by=writer),
    ):
        with pytest.raises(NotAllowed):
            deed()
    assert ProtectedTerm.objects.count() == 1


@pytest.mark.requirement("V3")
def test_terms_are_re_encrypted_after_a_key_change() -> None:
    (term,) = protect(SECRET)
    with override_settings(SECRET_KEY="a new key", SECRET_KEY_FALLBACKS=["test-old", *_keys()]):
        assert reveal_term(term=term, by=keeper()) == SECRET
        assert not is_sealed_with_newest_key(term.sealed)
        assert reseal_terms() == 1
        assert reseal_terms() == 0
    with override_settings(SECRET_KEY="a new key", SECRET_KEY_FALLBACKS=[]):
        term.refresh_from_db()
        assert reveal_term(term=term, by=keeper()) == SECRET
        assert add_terms(lines=SECRET, note="", by=keeper(), now=NOW).known == 1


def _keys() -> list[str]:
    return [settings.SECRET_KEY]


@pytest.mark.requirement("V3")
def test_encrypted_terms_of_any_length_look_alike() -> None:
    assert len(seal("Li")) == len(seal(SECRET))
    assert unseal(seal("")) == ""


@pytest.mark.requirement("V3")
def test_without_the_key_notices_do_not_show_content() -> None:
    protect(SECRET)
    assert replace_protected_text("A word") == "A word"
    with override_settings(SECRET_KEY="another key", SECRET_KEY_FALLBACKS=[]):
        assert "cannot be searched" in replace_protected_text(f"Its subject: {SECRET}")


@pytest.mark.requirement("V3")
def test_without_the_key_nothing_can_be_approved(issue: Issue) -> None:
    protect(SECRET)
    with override_settings(SECRET_KEY="another key", SECRET_KEY_FALLBACKS=[]):
        assert count_unreadable_terms() == 1
        assert [one.masked for one in list_terms()] == [""]
        with pytest.raises(NotReady, match="1 protected terms cannot be read"):
            approve_issue(issue=issue, by=make_approver(), now=NOW)


# ------------------------------------------------------------------------------------------- where it is found


def in_subject(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(subject=f"Letters from {SECRET}")


def in_preheader(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(
        preheader="What m a r i s o l   q u i n t a n i l l a told us, in her own words"
    )


def in_merge_default(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(subject=f'Dear {{{{ first_name | default:"{SECRET}" }}}}')


def in_story(issue: Issue) -> None:
    Story.objects.update(teaser="Marisol\u200b QUINTANÍLLA came to the clinic, and the door was open.")


def in_link(issue: Issue) -> None:
    Story.objects.update(url="https://example.org/stories/%6Darisol%2Dquintanilla/")


def in_event(issue: Issue) -> None:
    EventNotice.objects.update(place_text=f"The house of {SECRET}")


def in_calendar(issue: Issue) -> None:
    """The summary stands in no mail, and goes into calendars."""
    EventNotice.objects.update(summary=f"Ask for {SECRET} at the door.")


def in_note(issue: Issue) -> None:
    issue.body.append(("note", {"heading": "", "text": "<p>We thank Mari<b>sol</b> <i>Quintanilla</i>.</p>"}))
    issue.save()


def in_quote(issue: Issue) -> None:
    issue.body.append(("quote", {"text": "It helped.", "who": "marisol.quintanilla", "note": ""}))
    issue.save()


def in_button(issue: Issue) -> None:
    issue.body.append(("button", {"label": "Read", "url": "https://example.org/MarisolQuintanilla.jpg"}))
    issue.save()


def in_brand(issue: Issue) -> None:
    Brand.objects.update(postal_address=f"c/o {SECRET}, Leeds")


def in_sender(issue: Issue) -> None:
    Publication.objects.update(from_name=SECRET)


def in_slug(issue: Issue) -> None:
    Publication.objects.update(slug="marisol-quintanilla")


PLACES = [
    in_subject, in_preheader, in_merge_default, in_story, in_link, in_event, in_calendar, in_note, in_quote, in_button,
    in_brand, in_sender, in_slug,
]  # fmt: skip


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
@pytest.mark.requirement("V3")
def test_a_term_blocks_the_approval_and_is_shown_masked(issue: Issue, put: Any) -> None:
    protect(SECRET)
    put(issue)
    with pytest.raises(NotReady, match=f"A protected term \\({MASKED}\\) stands in") as caught:
        approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    assert "uintanilla" not in str(caught.value)
    assert Issue.objects.get(pk=issue.pk).state == "draft"


@pytest.mark.requirement("V3")
def test_picture_descriptions_are_searched(issue: Issue) -> None:
    protect(SECRET)
    (block,) = [child for child in issue.body if child.block_type == "lead_story"]
    content = resolve_content(issue)
    lead = next(one for one in content.blocks if isinstance(one, LeadStoryBlock) and one.key == block.id)
    picture = PictureRecord(url="https://example.org/a.jpg", width=9, height=9, alt=SECRET, weight=1)
    content = replace(content, blocks=(replace(lead, story=replace(lead.story, picture=picture)),))
    assert [one.block for one in scan_for_protected_terms(content).findings] == [block.id]


@pytest.mark.requirement("V3")
def test_a_finding_names_its_block_or_its_field(issue: Issue) -> None:
    protect(SECRET)
    in_subject(issue)
    in_story(issue)
    issue = Issue.objects.get(pk=issue.pk)
    lead = next(child.id for child in issue.body if child.block_type == "lead_story")
    assert codes(issue) == [("", "subject"), (lead, "")]


@pytest.mark.requirement("V3")
def test_a_headline_of_staff_hides_the_storys_own(issue: Issue) -> None:
    """Writing other words in the issue is how a hit is mended."""
    protect(SECRET)
    Story.objects.update(title=f"How {SECRET} came home")
    lead = next(child for child in issue.body if child.block_type == "lead_story")
    lead.value["headline"] = "How Maya* came home"
    issue.save()
    assert codes(Issue.objects.get(pk=issue.pk)) == []


@pytest.mark.requirement("V3")
def test_random_ids_of_ours_are_no_findings(issue: Issue) -> None:
    """The name of a picture or of an event's calendar file is drawn by lot or signed: what can be read in it is chance."""
    name = make_calendar_name(EventNotice.objects.get().pk)
    protect(name)
    mail = approve_issue(issue=issue, by=make_approver(), now=NOW).revision.variants.first()
    assert mail is not None
    assert f"/calendar/{name}" in mail.html


@pytest.mark.parametrize("path", ["/m/marisol-quintanilla.jpg", "/view/marisol-quintanilla", "/r/marisol/quintanilla"])
@pytest.mark.requirement("V3")
def test_urls_of_our_site_written_by_staff_are_searched(issue: Issue, path: str) -> None:
    protect(SECRET)
    url = f"{settings.NEWSLETTER_SITE_URL}{path}"
    issue.body.append(("button", {"label": "Read", "url": url}))
    issue.save()
    assert len(codes(Issue.objects.get(pk=issue.pk))) == 1


# --------------------------------------------------------------------------------- at the end and at the freeze


@pytest.mark.requirement("V3")
def test_a_term_added_after_approval_holds_the_issue_with_a_notice(issue: Issue) -> None:
    in_story(issue)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    protect(SECRET)
    start_due_sends(now=Issue.objects.get(pk=issue.pk).slot.due_at)
    assert_held(issue)


@pytest.mark.requirement("V3")
def test_an_automatic_issue_is_held_with_a_notice() -> None:
    publication = make_publication(approval="auto")
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    make_approver()
    in_subject(issue)
    protect(SECRET)
    with pytest.raises(NotReady, match="protected term"):
        approve_by_policy(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    start_due_sends(now=issue.slot.due_at)
    assert_held(issue)


def assert_held(issue: Issue) -> None:
    issue.refresh_from_db()
    assert issue.held
    assert MASKED in issue.held_reason
    notice = StaffNotice.objects.get()
    assert MASKED in notice.paragraphs[0]
    assert "uintanilla" not in repr((notice.subject, notice.paragraphs, issue.held_reason)).lower()
    assert not Send.objects.exclude(state="cancelled").exists()


@pytest.mark.requirement("V3")
def test_the_freeze_searches_again(issue: Issue) -> None:
    from newsletter.sending.freezing.start import prepare_requested_sends, request_send

    in_story(issue)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    request_send(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    protect(SECRET)
    assert prepare_requested_sends(now=NOW) == [issue]
    assert Send.objects.get().state == "cancelled"
    assert MASKED in Issue.objects.get(pk=issue.pk).held_reason


@pytest.mark.requirement("V3")
def test_a_running_send_pauses_until_the_term_is_removed(issue: Issue) -> None:
    in_story(issue)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    send = start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    terms = protect(SECRET)
    assert pause_protected() == [issue]
    send.refresh_from_db()
    assert (send.state, MASKED in send.reason) == ("paused", True)
    resume_send(send=send, by=make_approver())
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == "paused"
    remove_terms(ids=[term.pk for term in terms], by=keeper())
    resume_send(send=send, by=make_approver())
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == "submitting"


def on_its_way(issue: Issue, settings: Any) -> tuple[Send, list[int]]:
    """A send of an issue that says the secret, in batches of one person."""
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=1"
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    send = start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    return send, list(send.batches.order_by("seq").values_list("pk", flat=True))


def may_be_claimed(batch: int) -> bool:
    """Return True if a worker can claim the batch now. Put it back afterwards."""
    claim = claim_batch(batch_id=batch, provider="outbox", now=NOW)
    Attempt.objects.filter(batch=batch).delete()
    Batch.objects.filter(pk=batch).update(state=Batch.State.PENDING, attempt_number=0)
    return claim is not None


@pytest.mark.requirement("V3")
def test_a_new_term_stops_claims_even_before_a_sweep(issue: Issue, settings: Any) -> None:
    in_story(issue)
    send, batches = on_its_way(issue, settings)
    assert may_be_claimed(batches[0])
    terms = protect(SECRET)
    assert find_due_batches(now=NOW) == []
    assert not any(map(may_be_claimed, batches))
    enforce_send_window(now=NOW)
    resume_send(send=Send.objects.get(), by=make_approver())
    assert not any(map(may_be_claimed, batches))
    remove_terms(ids=[term.pk for term in terms], by=keeper())
    assert all(map(may_be_claimed, batches))


@pytest.mark.requirement("V3")
def test_a_send_without_the_new_term_goes_on_once_searched(issue: Issue, settings: Any) -> None:
    send, batches = on_its_way(issue, settings)
    protect(SECRET)
    assert not may_be_claimed(batches[0])
    assert pause_protected() == []
    assert all(map(may_be_claimed, batches))
    protect("Another Name")
    assert not may_be_claimed(batches[0])
    enforce_send_window(now=NOW)
    assert all(map(may_be_claimed, batches))


@pytest.mark.requirement("V3")
def test_a_new_send_was_searched_for_every_term(issue: Issue, settings: Any) -> None:
    protect(SECRET)
    _, batches = on_its_way(issue, settings)
    assert all(map(may_be_claimed, batches))


@pytest.mark.requirement("V3")
def test_a_repeated_batch_was_searched_like_the_others(issue: Issue, settings: Any) -> None:
    """The words stand in no block: only the mail itself, as a template might, says them."""
    send, batches = on_its_way(issue, settings)
    (first, *_others) = batches
    variant = Variant.objects.get(pk=Batch.objects.get(pk=first).variant_id)
    own = Variant(
        issue=issue, revision=variant.revision, key="own", public_id="own", label="", language="en", subject="",
        html=f"<p>{SECRET}</p>", text=SECRET, sha256="own",
    )  # fmt: skip
    own.save()
    Batch.objects.filter(pk=first).update(variant=own, state=Batch.State.UNCERTAIN)
    protect(SECRET)
    assert pause_protected() == [issue]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one transaction after the other")
@pytest.mark.requirement("V3")
def test_terms_are_numbered_in_the_order_of_their_commits(issue: Issue, settings: Any) -> None:
    """Else a send that was searched for the second would count as searched for the first, which nobody could see yet."""
    send, batches = on_its_way(issue, settings)
    keeper()

    def add_second() -> None:
        try:
            protect("Another Name")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            protect(SECRET)
            second = pool.submit(add_second)
            with pytest.raises(TimeoutError):
                second.result(timeout=1)
        second.result(timeout=20)
    first, last = ProtectedTerm.objects.order_by("pk")
    assert reveal_term(term=first, by=keeper()) == SECRET


@pytest.mark.requirement("V3")
def test_a_proof_with_a_term_is_refused(issue: Issue) -> None:
    in_subject(issue)
    protect(SECRET)
    from newsletter.desk.issues.audience.variant_groups import EMPTY_GROUP

    by = make_approver()
    with pytest.raises(NotReady, match="protected term"):
        send_proofs(
            issue=Issue.objects.get(pk=issue.pk), group=EMPTY_GROUP, to=[by], by=by, now=NOW, adapter=current_adapter()
        )


@pytest.mark.requirement("V3")
def test_the_notice_about_an_issue_does_not_contain_the_term() -> None:
    publication = make_publication()
    make_story(f"How {SECRET} came home")
    make_approver()
    protect(SECRET)
    assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    notify_assembly(assembly, now=NOW)
    notice = StaffNotice.objects.get()
    assert "uintanilla" not in repr((notice.subject, notice.paragraphs))
    assert "Read it in the desk." in notice.paragraphs[1]


# --------------------------------------------------------------------------------------------- on the web


@pytest.fixture
def gone(issue: Issue) -> Issue:
    """An issue that went out, in an archive for everybody; what it says is protected only afterwards."""
    Publication.objects.update(archive="public")
    in_story(issue)
    in_calendar(issue)
    issue = Issue.objects.get(pk=issue.pk)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=issue, now=NOW)
    return Issue.objects.get(pk=issue.pk)


@pytest.mark.requirement("V3")
def test_public_pages_stop_showing_the_term(gone: Issue) -> None:
    event, variant = EventNotice.objects.get(), Variant.objects.get()
    name = make_calendar_name(event.pk)
    pages = [
        f"/news/weekly/{gone.number}/",
        f"/view/{variant.public_id}",
        f"/calendar/{name}.ics",
        f"/calendar/{name}/google",
        f"/calendar/{name}/outlook",
    ]
    before = [Client().get(page).status_code for page in pages]
    assert before == [200, 200, 200, 302, 302]
    assert Calendar.from_ical(Client().get(pages[2]).content)
    feed, listed = Client().get("/news/weekly/feed.xml"), Client().get("/news/weekly/")
    assert feed.content.count(b"<item>") == 1
    protect(SECRET)
    assert [Client().get(page).status_code for page in pages] == [404] * 5
    feed, listed = Client().get("/news/weekly/feed.xml"), Client().get("/news/weekly/")
    assert feed.content.count(b"<item>") == 0
    assert f"/news/weekly/{gone.number}/".encode() not in listed.content
    for page in (feed, listed):
        assert b"uintan" not in page.content.lower()


@pytest.mark.requirement("V3")
def test_no_archive_page_links_to_a_hidden_issue(gone: Issue) -> None:
    publication = gone.publication
    Issue.objects.filter(pk=gone.pk).update(number=2)
    older = Issue.objects.create(publication=publication, number=1, public_id="older", made_at=NOW, state="sent")
    revision = gone.sends.get().revision
    content = {**revision.content, "subject": "Quiet", "blocks": []}
    quiet = older.content_revisions.create(number=1, sha256="0" * 64, content=content, made_at=NOW)
    Send.objects.create(issue=older, revision=quiet, sha256="0" * 64, state="submitted", made_at=NOW, started_at=NOW)
    assert b'/news/weekly/2/"' in Client().get("/news/weekly/1/").content
    protect(SECRET)
    page = Client().get("/news/weekly/1/")
    assert page.status_code == 200
    assert b"/news/weekly/2/" not in page.content
