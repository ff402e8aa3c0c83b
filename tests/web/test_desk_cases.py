"""Cases in the desk: who follows is counted and never named, and a case with stories is not deleted."""

import re
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter.issues.approval.approve import find_current_approval
from newsletter.models import Issue, Publication
from newsletter.sending.freezing.start import start_send
from subscribers.exporting.csv_export import export_people
from subscribers.models import Case, OutboundEvent
from subscribers.people.cases import follow_case
from tests.support.api import call, create_key
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db
PAGES = ("newsletter_issue_overview", "newsletter_issue_audience", "newsletter_report")


@pytest.fixture
def case() -> Case:
    return Case.objects.create(slug="river-case", name="The river case")


def edit(case: Case, *, name: str, **fields: object) -> str:
    client = sign_in("editor", email=f"{len(name)}@example.org")
    return client.post(f"/admin/cases/edit/{case.pk}/", {"name": name, **fields}, follow=True).content.decode()


def test_cases_show_their_numbers_and_no_follower(case: Case) -> None:
    story = make_story("A hearing", case=case)
    make_story("A verdict", case=case)
    weekly = make_list()
    for number in range(3):
        person = make_member(weekly, f"follower{number}@example.org")
        follow_case(subscriber=person, case=case, now=timezone.now())
    client = sign_in("editor")
    listed = compact_html(client.get("/admin/cases/").content.decode())
    assert re.search(r"The river case.*>\s*2\s*<.*>\s*3\s*<", listed, re.DOTALL)
    page = compact_html(client.get(f"/admin/cases/edit/{case.pk}/").content.decode())
    assert "3 people follow this case. We never show you who." in " ".join(page.split())
    assert "2 stories belong to it" in page
    assert f'<a href="/admin/stories/edit/{story.pk}/">A hearing</a>' in page
    assert "follower0" not in listed + page


@pytest.mark.django_db(transaction=True)
@pytest.mark.requirement("N2")
def test_no_list_file_report_or_webhook_reveals_who_follows(case: Case) -> None:
    publication = make_publication()
    make_story("A hearing", case=case)
    make_story("Another matter")
    follower, *_others = add_subscribers(publication, 3)
    make_endpoint()
    follow_case(subscriber=follower, case=case, now=timezone.now())
    issue = start_send(issue=make_issue(publication, approved=True), now=NOW).issue
    key = create_key("people:read sends:read issues:read read")
    exported = StringIO()
    export_people(out=exported)
    about_people = [
        *(call("get", path, key=key).content.decode() for path in ("people", f"people/{follower.pk}")),
        call("post", "people/find", {"email": follower.email}, key=key).content.decode(),
        exported.getvalue(),
        str(list(OutboundEvent.objects.values_list("kind", "data"))),
    ]
    assert OutboundEvent.objects.exists()
    assert follower.email in exported.getvalue()
    assert not [text for text in about_people if "river" in text.casefold()]
    client = sign_in("approver")
    about_issues = [
        *(client.get(reverse(name, args=[issue.pk])).content.decode() for name in PAGES),
        call("get", f"issues/{issue.pk}/receipt", key=key).content.decode(),
        *(f"{one.label} {one.label_facts}" for one in issue.sends.get().revision.variants.all()),
    ]
    assert "A hearing" in about_issues[0]
    named = (follower.email, str(follower.uuid), f"people/{follower.pk}/")
    assert not [name for text in about_issues for name in named if name in text]


def test_a_case_with_one_story_can_be_followed_and_says_so(case: Case) -> None:
    make_story("A hearing", case=case)
    follow_case(subscriber=make_member(make_list(), "follower@example.org"), case=case, now=timezone.now())
    page = " ".join(sign_in("editor").get(f"/admin/cases/edit/{case.pk}/").content.decode().split())
    assert "1 story belongs to it" in page
    assert "1 person follows this case. We never show you who." in page


def test_a_case_is_renamed_and_keeps_its_short_name(case: Case) -> None:
    said = edit(case, name="The case of the river", slug="other")
    case.refresh_from_db()
    assert (case.name, case.slug) == ("The case of the river", "river-case")
    assert "“The case of the river” is saved." in said


def test_two_cases_cannot_share_a_name(case: Case) -> None:
    other = Case.objects.create(slug="bridge", name="The bridge")
    assert "There is a case of this name already." in edit(other, name="the RIVER case")
    other.refresh_from_db()
    assert other.name == "The bridge"


def test_a_case_is_deleted_only_when_no_story_belongs_to_it(case: Case) -> None:
    story, client = make_story("A hearing", case=case), sign_in("editor")
    follow_case(subscriber=make_member(make_list()), case=case, now=timezone.now())
    address = f"/admin/cases/delete/{case.pk}/"
    refused = client.post(address).content.decode()
    assert "“The river case” cannot be deleted" in refused
    assert f'<a href="/admin/stories/edit/{story.pk}/">A hearing</a>' in refused
    assert Case.objects.exists()
    story.case = None
    story.save()
    assert "1 person follows it" in client.get(address).content.decode()
    assert "“The river case” is deleted." in client.post(address, follow=True).content.decode()
    assert not Case.objects.exists()


def test_a_case_is_added_with_a_short_name_from_its_name() -> None:
    sign_in("editor").post("/admin/cases/add/", {"name": "The bridge"})
    assert Case.objects.get().slug == "the-bridge"


def test_renaming_a_case_of_an_approved_issue_asks_first(case: Case, publication: Publication) -> None:
    make_story("A hearing", case=case)
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    assert "Withdraw their approval" in sign_in("editor").get(f"/admin/cases/edit/{case.pk}/").content.decode()
    assert "Nothing was saved" in edit(case, name="Another name")
    case.refresh_from_db()
    assert case.name == "The river case"
    edit(case, name="A third name", withdraw=str(issue.pk))
    case.refresh_from_db()
    assert case.name == "A third name"
    assert find_current_approval(Issue.objects.get(pk=issue.pk)) is None
