"""Protected terms are stored only encrypted, and found in every part of an issue."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from newsletter.common.errors import BadValue, NotAllowed, NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.protected_terms.check import replace_protected_text, scan_for_protected_terms
from newsletter.issues.protected_terms.matcher import SEALER
from newsletter.issues.protected_terms.terms import (
    BadTerms,
    add_terms,
    count_unreadable_terms,
    list_terms,
    remove_terms,
    reseal_terms,
    reveal_term,
)
from newsletter.issues.snapshot.records.blocks import LeadStoryBlock
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.snapshot.resolve_blocks import make_calendar_name
from newsletter.models import (
    AuditEntry,
    Brand,
    EventNotice,
    Issue,
    ProtectedTerm,
    Publication,
    Story,
)
from tests.support.fixtures import (
    NOW,
    make_approver,
)
from tests.support.protected_terms import (  # noqa: F401  a fixture
    MASKED,
    SECRET,
    in_calendar,
    in_story,
    in_subject,
    in_translated_calendar,
    keeper,
    make_issue_with_event,
    protect,
)

pytestmark = pytest.mark.django_db(transaction=True)


def codes(issue: Issue) -> list[tuple[str, str]]:
    return [(one.block, one.field) for one in scan_for_protected_terms(resolve_content(issue)).findings]


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
    with pytest.raises((BadTerms, BadValue), match=says) as caught:
        add_terms(lines=lines, note=note, by=keeper(), now=NOW)
    assert "arisol" not in str(caught.value)
    assert not ProtectedTerm.objects.exists()


@pytest.mark.requirement("V3")
def test_terms_need_the_permission_for_people() -> None:
    (term,) = protect(SECRET)
    writer = make_approver()
    for action in (
        lambda: add_terms(lines="A name", note="", by=writer, now=NOW),
        lambda: reveal_term(term=term, by=writer),
        lambda: remove_terms(ids=[term.pk], by=writer),
    ):
        with pytest.raises(NotAllowed):
            action()
    assert ProtectedTerm.objects.count() == 1


@pytest.mark.requirement("V3")
def test_terms_are_re_encrypted_after_a_key_change() -> None:
    (term,) = protect(SECRET)
    with override_settings(SECRET_KEY="a new key", SECRET_KEY_FALLBACKS=["test-old", *_keys()]):
        assert reveal_term(term=term, by=keeper()) == SECRET
        assert not SEALER.is_newest(term.sealed)
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
    assert len(SEALER.seal("Li")) == len(SEALER.seal(SECRET))
    assert SEALER.unseal(SEALER.seal("")) == ""


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


def in_preheader(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(
        preheader="What m a r i s o l   q u i n t a n i l l a told us, in her own words"
    )


def in_merge_default(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(subject=f'Dear {{{{ first_name | default:"{SECRET}" }}}}')


def in_link(issue: Issue) -> None:
    Story.objects.update(url="https://example.org/stories/%6Darisol%2Dquintanilla/")


def in_event(issue: Issue) -> None:
    EventNotice.objects.update(place_text=f"The house of {SECRET}")


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
    in_translated_calendar, in_brand, in_sender, in_slug,
]  # fmt: skip


@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
@pytest.mark.requirement("V3")
def test_a_term_blocks_the_approval_and_is_shown_masked(issue: Issue, put: Any) -> None:
    protect(SECRET)
    put(issue)
    with pytest.raises(NotReady, match=f"A protected term \\({MASKED}\\) was found in") as caught:
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
