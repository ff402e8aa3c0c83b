"""The subject test of an issue at the desk: setting it up, its numbers, choosing, and the result in the report."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from newsletter.issues.approval.approve import approve_issue
from newsletter.models import AuditEntry, Issue, Publication, Send, SubjectTest
from newsletter.sending.freezing.start import start_send
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.page_html import compact_html
from tests.support.subject_tests import (
    PEOPLE,
    SECOND,
    count_clicks,
    make_tested_issue,
    read_subjects,
    reload,
    work_at,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def untested(publication: Publication) -> Issue:
    make_story("The first verdict")
    add_subscribers(publication, PEOPLE)
    return make_issue(publication)


@pytest.fixture
def running(publication: Publication) -> Send:
    Publication.objects.update(clicks="counts")
    publication.refresh_from_db()
    send = start_send(issue=make_tested_issue(publication), now=NOW)
    work_at(send, NOW)
    return send


def overview(issue: Issue) -> str:
    return f"/admin/issues/{issue.pk}/overview/"


def set_up(issue: Issue, **fields: object) -> tuple[int, str]:
    form = {"subject_2": SECOND, "share_percent": "50", "wait_hours": "4", **fields}
    response = sign_in("writer").post(f"/admin/issues/{issue.pk}/subject-test/", form)
    return response.status_code, response.content.decode()


def test_a_writer_sets_up_a_test_and_sees_its_split(untested: Issue) -> None:
    writer = sign_in("writer")
    assert "Test subjects" in writer.get(overview(untested)).content.decode()
    add_subscribers(untested.publication, 1_000, start=PEOPLE)
    assert set_up(untested, subject_3="A third subject", preheader_3="And why") == (302, "")
    test = SubjectTest.objects.get()
    assert test.subjects == [
        {"subject": SECOND, "preheader": ""},
        {"subject": "A third subject", "preheader": "And why"},
    ]
    assert (test.share_percent, test.wait_hours, test.number_of_subjects) == (50, 4, 3)


def test_the_page_shows_who_gets_which_subject_and_who_waits(publication: Publication) -> None:
    issue = make_tested_issue(publication, approved=False)
    page = sign_in("writer").get(overview(issue)).content.decode()
    assert SECOND in page
    assert "Waiting until about" in page
    assert "Subject B" in page
    assert "Waiting for the subject test" in page
    form = sign_in("writer").get(f"/admin/issues/{issue.pk}/subject-test/").content.decode()
    assert f'value="{SECOND}"' in form


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"subject_2": "The first verdict"}, "It says the same as subject A"),
        ({"subject_3": SECOND}, "It says the same as subject B"),
        ({"share_percent": "20"}, "Too few people"),
        ({"share_percent": "51"}, "less than or equal to 50"),
        ({"wait_hours": "49"}, "less than or equal to 48"),
        ({"subject_2": ""}, "This field is required"),
    ],
)
def test_a_test_that_cannot_be_fair_is_refused(untested: Issue, fields: dict[str, str], error: str) -> None:
    status, page = set_up(untested, **fields)
    assert status == 200
    assert error in page
    assert not SubjectTest.objects.exists()


def test_equal_subjects_are_refused_at_their_field(untested: Issue) -> None:
    _status, page = set_up(untested, subject_4=SECOND)
    field = page.partition("Subject D")[2].partition("Preheader of subject D")[0]
    assert "It says the same as subject B" in field


def test_changing_or_removing_a_test_withdraws_the_approval(publication: Publication) -> None:
    issue = make_tested_issue(publication)
    set_up(issue, wait_hours="5")
    assert reload(issue).state != Issue.State.APPROVED
    approve_issue(issue=reload(issue), by=make_approver(), now=NOW)
    sign_in("writer").post(f"/admin/issues/{issue.pk}/remove-subject-test/")
    assert not SubjectTest.objects.exists()
    assert reload(issue).state != Issue.State.APPROVED
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"newsletter.subject_test", "newsletter.remove_subject_test"} <= actions


def test_an_approver_chooses_while_the_others_wait(running: Send) -> None:
    issue = running.issue
    writer, approver = sign_in("writer"), sign_in("approver")
    assert "Use subject B" not in writer.get(overview(issue)).content.decode()
    page = compact_html(approver.get(overview(issue)).content.decode())
    before_button, *_ = page.split(">Use subject B</button>")
    assert before_button.rfind("<details") > before_button.rfind("</details>"), "one press alone chooses none"
    assert "The people who wait get subject B now. You cannot undo this." in page
    assert "Waiting for the result of the subject test: " in page
    approver.post(f"/admin/issues/{issue.pk}/send/choose-subject/", {"subject": "2"})
    test = SubjectTest.objects.get()
    assert (test.outcome, test.winner) == ("by_staff", 2)
    work_at(running, NOW + timedelta(minutes=1))
    assert read_subjects(running)[""] == 0
    assert AuditEntry.objects.filter(action="newsletter.choose_subject").count() == 1


@pytest.mark.parametrize("state", [Send.State.PAUSED, Send.State.NEEDS_ATTENTION])
def test_a_subject_chosen_during_a_stop_is_promised_for_later(running: Send, state: str) -> None:
    Send.objects.update(state=state)
    approver, later = sign_in("approver"), "get subject B once the send is resumed."
    assert f"The people who wait {later}" in approver.get(overview(running.issue)).content.decode()
    address = f"/admin/issues/{running.issue_id}/send/choose-subject/"
    answer = approver.post(address, {"subject": "2"}, follow=True)
    assert f"The people who waited {later}" in " ".join(list_messages(answer))


@pytest.mark.long
@pytest.mark.parametrize(
    ("clicks", "result"),
    [((20, 60), "Subject B did best"), ((30, 36), "No difference: chance alone often makes one as large")],
)
def test_the_report_has_the_result_with_its_counts(running: Send, clicks: tuple[int, int], result: str) -> None:
    count_clicks(running.issue, *clicks)
    work_at(running, NOW + timedelta(hours=4))
    for address in (overview(running.issue), f"/admin/issues/{running.issue_id}/report/"):
        page = sign_in("writer").get(address).content.decode()
        assert result in page
        assert all(f'data-label="Clicks">{number}<' in page for number in clicks)
        assert "Use subject" not in page


def test_a_test_is_not_offered_for_too_few_recipients(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    page = sign_in("writer").get(overview(make_issue(publication))).content.decode()
    assert "A test needs at least 2,000 recipients. This issue has 3." in page
    assert "/subject-test/" not in page
