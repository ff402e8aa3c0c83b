"""Mail that is not only for charitable purposes leaves out people whom only the charitable soft opt-in covers."""

import pytest

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.planning.restore_revision import restore_revision
from newsletter.issues.reuse.templates import save_template
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import Issue, Publication, Story
from newsletter.sending.dispatching.recipients import find_batch_recipients
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import cancel_send
from subscribers.models import Subscription
from tests.support.desk import issue_form, sign_in_superuser
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    """An issue for three people with consent and two with the charitable soft opt-in."""
    make_story("The clinic opens its doors")
    people = add_subscribers(publication, 5)
    Subscription.objects.filter(subscriber__in=people[:2]).update(basis="soft_opt_in")
    return make_issue(publication)


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication").get(pk=issue.pk)


def test_a_charitable_issue_reaches_everybody(issue: Issue) -> None:
    assert count_people(issue, now=NOW).eligible == 5


@pytest.mark.requirement("P15")
@pytest.mark.parametrize("model", [Issue, Publication])
def test_one_that_sells_something_leaves_the_soft_opt_in_out(issue: Issue, model: type[Issue | Publication]) -> None:
    model.objects.update(charitable=False)
    counted = count_people(read(issue), now=NOW)
    assert (counted.eligible, counted.excluded) == (3, {"not_charitable": 2})
    approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    receipt = make_receipt(start_send(issue=read(issue), now=NOW))
    assert (sum(receipt.deliveries.values()), receipt.excluded) == (3, {"not_charitable": 2})


def test_each_excluded_person_has_a_reason_before_and_after_the_send(issue: Issue) -> None:
    Issue.objects.update(charitable=False)
    person = Subscription.objects.filter(basis="soft_opt_in")[0].subscriber
    before = explain_issue(read(issue), person=person, now=NOW)
    assert "covers only mail for your charitable purposes" in str(before.outcome)
    approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    start_send(issue=read(issue), now=NOW)
    after = explain_issue(read(issue), person=person, now=NOW)
    assert "it was not only for your charitable purposes" in str(after.outcome)


def test_a_copy_is_marked_like_its_original(issue: Issue) -> None:
    Issue.objects.update(charitable=False, state=Issue.State.SENT)
    copy = create_issue(publication=issue.publication, beginning=Beginning.COPY, original=read(issue), by=None, now=NOW)
    assert not copy.charitable


def test_a_template_and_an_earlier_revision_keep_the_mark(issue: Issue) -> None:
    Issue.objects.update(charitable=False)
    by = make_approver()
    template = save_template(issue=read(issue), name="Shop", by=by, now=NOW)
    made = create_issue(publication=issue.publication, beginning=Beginning.TEMPLATE, original=template, by=by, now=NOW)
    assert not made.charitable
    marked = read(issue).save_revision()
    Issue.objects.update(charitable=True)
    restore_revision(issue=read(issue), revision=marked, by=by, now=NOW)
    assert not read(issue).charitable


def test_a_mark_that_comes_during_the_send_counts_from_the_next_batch(issue: Issue) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    batch = start_send(issue=read(issue), now=NOW).batches.get()
    assert len(find_batch_recipients(batch, issue=read(issue), now=NOW).mailable) == 5
    Publication.objects.update(charitable=False)
    found = find_batch_recipients(batch, issue=read(issue), now=NOW)
    assert (len(found.mailable), len(found.unsubscribed)) == (3, 2)


def test_a_completion_is_marked_like_the_cancelled_issue(issue: Issue) -> None:
    Issue.objects.update(charitable=False)
    approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    cancel_send(send=start_send(issue=read(issue), now=NOW), by=make_approver(), now=NOW)
    completion = complete_send(issue=read(issue), by=make_approver(), now=NOW)
    assert not completion.charitable
    assert count_people(completion, now=NOW).eligible == 3


def test_the_editor_marks_an_issue_and_shows_whom_it_leaves_out(issue: Issue) -> None:
    client = sign_in_superuser()
    form = issue_form(issue, story=Story.objects.get())
    del form["charitable"]
    assert client.post(f"/admin/issues/edit/{issue.pk}/", form).status_code == 302
    assert not read(issue).charitable
    assert (
        "covered only for your charitable purposes"
        in client.get(f"/admin/issues/{issue.pk}/audience/").content.decode()
    )
