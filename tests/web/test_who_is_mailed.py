"""F24: the desk says where not everyone is mailed from here."""

from typing import Any

import pytest

from tests.db.test_send import ready_issue
from tests.web.desk import sign_in

pytestmark = pytest.mark.django_db


def test_f24_home_and_the_issues_page_say_who_is_mailed(settings: Any) -> None:
    issue = ready_issue(readers=2)
    client = sign_in("writer")
    assert "Mail goes only to some people" not in client.get("/admin/").content.decode()
    settings.SUBSCRIBERS_ONLY_TO = ["person1@example.com"]
    for page in ("/admin/", f"/admin/issues/{issue.pk}/overview/"):
        assert "Mail goes only to: person1@example.com." in client.get(page).content.decode()
    assert "are not among those whom this installation may mail" in client.get(page).content.decode()


def test_f24_home_says_that_nobody_is_mailed_where_a_real_provider_stands_behind_a_trial(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    assert (
        "This installation is not production and would mail real people"
        in sign_in("writer").get("/admin/").content.decode()
    )
