"""Protected terms in the desk: the list, who sees what, the staff log, and the check of an issue."""

import logging
import re

import pytest
from django.test import Client

from newsletter.desk.issues.issue_page import overview_url
from newsletter.issues.approval.approve import approve_issue
from newsletter.models import AuditEntry, Issue, ProtectedTerm, Publication, Send, StaffNotice
from newsletter.sending.freezing.start import start_send
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db
SECRET, MASKED = "Marisol Quintanilla", "M••• Q•••"
PAGE = "/admin/protected-terms/"


def protect(client: Client, *terms: str, note: str = "Story of May") -> object:
    return client.post(PAGE, {"terms": "\n".join(terms), "note": note}, follow=True)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story(f"{SECRET} came to the clinic")
    add_subscribers(publication, 2)
    return make_issue(publication)


@pytest.mark.parametrize("role", ["data", "admin"])
@pytest.mark.requirement("V3")
def test_protected_terms_are_pasted_listed_masked_and_shown_singly(role: str) -> None:
    client = sign_in(role)
    response = protect(client, SECRET, "K-2031-77", "Li", SECRET.upper())
    assert list_messages(response)[0] == (
        "3 terms are now protected. 1 is very short. We find it only as written, or in capitals."
    )
    page = response.content.decode()
    assert MASKED in page
    assert "Story of May" in page
    assert SECRET not in page
    assert response.headers["Cache-Control"].startswith("no-store")
    term = ProtectedTerm.objects.get(pk=ProtectedTerm.objects.order_by("pk")[0].pk)
    shown = client.post(PAGE, {"show": term.pk})
    assert f"<strong>{SECRET}</strong>" in shown.content.decode()
    assert shown.headers["Cache-Control"].startswith("no-store")
    assert SECRET not in client.get(PAGE).content.decode()


@pytest.mark.requirement("V3")
def test_the_staff_log_counts_protected_terms_and_names_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = sign_in("data")
    protect(client, SECRET, "K-2031-77")
    pks = list(ProtectedTerm.objects.values_list("pk", flat=True))
    client.post(PAGE, {"show": pks[0]})
    client.post(PAGE, {"remove": "yes", "term": pks})
    entries = list(AuditEntry.objects.filter(action__startswith="newsletter.protected_").order_by("pk"))
    assert [(entry.action, entry.data) for entry in entries] == [
        ("newsletter.protected_added", {"terms": 2}),
        ("newsletter.protected_shown", {}),
        ("newsletter.protected_removed", {"terms": 2}),
    ]
    assert entries[1].label == f"Protected term {pks[0]}"
    admin = sign_in("admin")
    log = admin.get("/admin/staff-log/").content.decode() + "".join(
        part.decode() for part in admin.get("/admin/staff-log/?as=csv").streaming_content
    )
    assert "Protected terms added" in log
    assert "uintanilla" not in (log + repr(list(AuditEntry.objects.values())) + caplog.text)


@pytest.mark.requirement("V3")
def test_refused_protected_terms_are_explained_by_line() -> None:
    response = protect(sign_in("data"), SECRET, "?", note="")
    page = response.content.decode()
    assert response.status_code == 422
    assert "Line 2: too short to look for" in page
    assert SECRET in page
    assert not ProtectedTerm.objects.exists()


@pytest.mark.requirement("V3")
def test_removing_protected_terms_needs_a_selection() -> None:
    client = sign_in("data")
    protect(client, SECRET)
    assert list_messages(client.post(PAGE, {"remove": "yes"}, follow=True)) == ["Select at least one term to remove."]
    assert ProtectedTerm.objects.count() == 1


@pytest.mark.parametrize("role", ["writer", "editor", "approver"])
@pytest.mark.requirement("V3")
def test_a_writer_sees_only_the_first_letters_of_a_protected_term(role: str, issue: Issue) -> None:
    protect(sign_in("data"), "Marisol Quintanilla")
    Issue.objects.filter(pk=issue.pk).update(subject="News", preheader="Of the week")
    client = sign_in(role)
    assert client.get(PAGE).status_code in (302, 403)
    page = compact_html(client.get(f"/admin/issues/{issue.pk}/overview/").content.decode())
    assert f"A protected term ({MASKED}) was found in one of its blocks." in page
    before, after = page.split("A protected term (")
    part = before.rpartition("<li")[2] + after.partition("</li>")[0]
    assert f"/admin/issues/edit/{issue.pk}/#block-" in part
    assert "In the lead story" in part
    assert page.count("Approve this version") == page.count("disabled>Approve this version")


@pytest.mark.requirement("V3")
def test_protected_terms_are_in_no_search_and_no_list() -> None:
    client = sign_in("admin")
    protect(client, SECRET)
    for address in ("/admin/snippets/", "/admin/snippets/newsletter/protectedterm/", "/admin/reports/site-history/"):
        assert b"uintanilla" not in client.get(address).content
    assert b"uintanilla" not in client.get("/admin/stories/?q=Quintanilla").content.replace(b'value="Quintanilla"', b"")


def test_issues_with_a_new_protected_term_are_links_for_who_may_open_them(issue: Issue) -> None:
    link = f'<a href="{overview_url(issue)}">The weekly letter No. 1</a>'
    assert link in protect(sign_in("admin"), SECRET).content.decode()  # type: ignore[attr-defined]


@pytest.mark.requirement("V3")
@pytest.mark.parametrize("kind", ["approved", "automatic", "draft"])
def test_a_new_term_holds_at_once_what_would_be_sent(issue: Issue, kind: str) -> None:
    approver = make_approver()
    if kind == "approved":
        approve_issue(issue=issue, by=approver, now=NOW)
    Publication.objects.update(approval="auto" if kind == "automatic" else "approve")
    protect(sign_in("data"), SECRET)
    issue.refresh_from_db()
    assert issue.held is (kind != "draft")
    assert StaffNotice.objects.filter(person=approver, key__startswith="held-").count() == int(kind != "draft")
    if issue.held:
        assert f"A protected term ({MASKED}) was found" in issue.held_reason
        assert re.search(r"which term it is\. More problems: \d+\.$", issue.held_reason)
        home = sign_in("approver").get("/admin/").content.decode()
        assert "The weekly letter No. 1 is on hold" in home
        overview = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
        assert "Send now" not in overview


@pytest.mark.requirement("V3")
def test_adding_a_protected_term_lists_affected_and_paused_issues(issue: Issue) -> None:
    client = sign_in("data")
    assert list_messages(protect(client, SECRET))[1] == (
        "These issues contain a protected term and cannot be sent: The weekly letter No. 1."
    )
    client.post(PAGE, {"remove": "yes", "term": ProtectedTerm.objects.get().pk})
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(), now=NOW)
    assert list_messages(protect(client, SECRET))[-1] == (
        "Sending is paused: The weekly letter No. 1. Its page says why, and what to do next."
    )
    assert Send.objects.get().state == "paused"
