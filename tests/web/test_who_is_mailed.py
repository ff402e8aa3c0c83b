"""The desk says if not everyone is mailed from here."""

from typing import Any

import pytest

from tests.support.desk import sign_in
from tests.support.sends import make_ready_issue

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("F24")
def test_home_and_the_issues_page_say_who_is_mailed(settings: Any) -> None:
    issue = make_ready_issue(recipients=2)
    client = sign_in("writer")
    assert "Mail goes only to some people" not in client.get("/admin/").content.decode()
    settings.SUBSCRIBERS_ONLY_TO = ["person1@example.com"]
    for page in ("/admin/", f"/admin/issues/{issue.pk}/overview/"):
        assert "Mail goes only to: person1@example.com." in client.get(page).content.decode()
    assert "not on this installation’s recipient allowlist" in client.get(page).content.decode()


@pytest.mark.requirement("F24")
def test_home_says_that_a_trial_mails_nobody_through_a_real_provider(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    assert (
        "This installation is not production and would mail real people"
        in sign_in("writer").get("/admin/").content.decode()
    )
