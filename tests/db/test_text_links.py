"""A brand's choice of where plain text has its links: it changes the mail, and never one that was approved."""

import re
from pathlib import Path

import pytest

from newsletter.common.errors import NotApproved
from newsletter.issues.approval.approve import approve_issue, require_approval
from newsletter.models import Brand, Issue, Publication, Variant
from newsletter.organisation.apply_file import apply_file
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERED = re.compile(r"^\[1\] https://", re.MULTILINE)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


def choose(choice: str) -> None:
    Brand.objects.update(text_links=choice)


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication", "slot").get(pk=issue.pk)


def send(issue: Issue) -> str:
    """Approve and start to send the issue. Return the plain text that was prepared."""
    approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    start_send(issue=read(issue), now=NOW)
    return Variant.objects.get().text


@pytest.mark.parametrize(("choice", "numbered"), [("beneath", False), ("end", True)])
def test_the_brand_decides_the_position_of_links_in_plain_text(issue: Issue, choice: str, numbered: bool) -> None:
    choose(choice)
    assert (NUMBERED.search(send(issue)) is not None) == numbered


def test_an_approved_issue_is_sent_only_with_the_approved_choice(issue: Issue) -> None:
    approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    choose("end")
    with pytest.raises(NotApproved):
        require_approval(read(issue), now=NOW)
    choose("beneath")
    require_approval(read(issue), now=NOW)


def test_a_choice_made_after_a_send_began_changes_nothing_of_it(issue: Issue) -> None:
    choose("end")
    send(issue)
    choose("beneath")
    assert NUMBERED.search(Variant.objects.get().text)


def test_the_organisation_file_sets_the_choice(publication: Publication, tmp_path: Path) -> None:
    file = tmp_path / "organisation.toml"
    file.write_text('[brand]\nname = "Open Door"\ntext_links = "end"\n')
    apply_file(file, now=NOW)
    assert Brand.objects.get().text_links == "end"
