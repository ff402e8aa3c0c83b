"""An extension that fails is named, issues that depend on it are held, and everything else works."""

import re
from typing import Any

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.checks.issue_check import CHECKS
from newsletter.models import Issue, Publication, Send
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.sending.freezing.start import start_send
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.installed_extensions import Extensions
from tests.support.installed_extensions import extensions as extensions

pytestmark = pytest.mark.django_db
CHECK = """
from newsletter.extensions.checks import Finding, IssueCheck, Message

class Check(IssueCheck):
    interface = 1

    def check(self, issue):
        yield Finding("error", "clinic", Message("The word clinic is there."))

class Warns(Check):
    only_warns = True

class Fails(Check):
    def check(self, issue):
        raise KeyError("gone")
"""


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


def overview(issue: Issue) -> str:
    return sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def test_home_names_a_broken_extension_and_what_to_do(extensions: Extensions) -> None:
    extensions.install("broken", "import nowhere_to_be_found\n", {"checks": {"broken": "Check"}})
    page = sign_in("admin").get("/admin/").content.decode()
    assert "The extension “broken” could not be loaded" in page
    assert "It is part of the package “broken”: its code fails with ModuleNotFoundError" in page
    assert "Install it again with all that it needs, or remove it. Everything else works." in page
    assert "could not be loaded" not in sign_in("writer").get("/admin/").content.decode()


def test_an_error_of_an_installed_check_is_shown_and_refuses(issue: Issue, extensions: Extensions) -> None:
    extensions.install("careful", CHECK, {"checks": {"careful": "Check"}})
    assert "The word clinic is there." in overview(issue)
    with pytest.raises(NotReady, match="fails a check: The word clinic is there"):
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    extensions.uninstall("careful")
    approve_issue(issue=issue, by=make_approver("other@example.org"), now=NOW)


def test_a_check_that_only_warns_refuses_nothing(issue: Issue, extensions: Extensions) -> None:
    extensions.install("careful", CHECK, {"checks": {"careful": "Warns"}})
    assert re.search(r"nl-check--warning.{0,600}The word clinic is there", overview(issue), re.DOTALL)
    approve_issue(issue=issue, by=make_approver(), now=NOW)


def test_a_check_that_fails_is_a_warning_and_the_others_run(issue: Issue, extensions: Extensions) -> None:
    Issue.objects.update(preheader="Short")
    extensions.install("careful", CHECK, {"checks": {"careful": "Fails", "warns": "Warns"}})
    page = overview(issue)
    assert "The check “careful” failed with KeyError, so it found nothing." in page
    assert "The word clinic is there." in page
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert list(CHECKS)[-2:] == ["careful", "warns"]


@pytest.mark.django_db(transaction=True)
def test_without_its_provider_nothing_is_sent_and_all_is_kept(
    issue: Issue, extensions: Extensions, settings: Any
) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    extensions.install("pigeon", "raise OSError('no pigeon')\n", {"providers": {"pigeon": "Kind"}})
    settings.NEWSLETTER_PROVIDER_URL = "pigeon://KEY@"
    settings.NEWSLETTER_PRODUCTION = True
    with pytest.raises(BadProviderUrl, match="It comes with the extension “pigeon”") as error:
        start_send(issue=issue, now=NOW)
    assert "Install it again with all that it needs, or remove it." in str(error.value)
    assert not Send.objects.exists()
    assert Issue.objects.get().state == Issue.State.APPROVED
    assert sign_in("admin").get("/admin/").status_code == 200
    assert sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").status_code == 200
    assert sign_in("admin").get("/admin/setup/provider/").status_code == 200
