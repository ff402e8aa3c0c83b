"""Readers open links that a mail program or their own typing changed."""

import logging

import pytest
from django.test import Client

from newsletter.web.layers.mended_links import mend_path
from subscribers.links.signed_links import Purpose, make_link
from subscribers.models import Subscription
from tests.support.fixtures import NOW, add_subscribers, make_publication

ADDED_AFTER = (
    "=",
    ".",
    ")",
    ">",
    ",",
    "/",
    "'",
    "%22",
    "%E2%80%8B",
    "&amp;utm_source=x",
    "=%0D%0A",
    "_",
    "__",
    "%20Unsubscribe%20here",
    "%0AYou%20get%20this%20mail",
    "Unsubscribe",
    ".Thanks",
    ".html",
    "/Thanks",
    "%E2%80%94thanks",
)
ADDED_BEFORE = ("%3C", "=", "3D", "%22", "%253C", "%20")
TOKEN_PAGES = ("u", "p", "c", "stay", "my-data", "erase-me", "new-address", "this-address")


@pytest.fixture
def subscription() -> Subscription:
    publication = make_publication()
    (person,) = add_subscribers(publication, 1)
    return Subscription.objects.get(subscriber=person)


@pytest.fixture
def link(subscription: Subscription) -> str:
    return _make_path(subscription, Purpose.UNSUBSCRIBE)


def _make_path(subscription: Subscription, purpose: Purpose, *, mailing: int = 0) -> str:
    url = make_link(
        purpose=purpose,
        subscriber_uuid=subscription.subscriber.uuid,
        public_id=subscription.mailing_list.public_id,
        now=NOW,
        mailing=mailing,
    )
    return "/" + url.split("/", 3)[3]


@pytest.mark.django_db
@pytest.mark.parametrize("mailing", [0, 7])
@pytest.mark.parametrize("added", ADDED_AFTER)
def test_a_link_with_something_added_opens_its_page(subscription: Subscription, added: str, mailing: int) -> None:
    link = _make_path(subscription, Purpose.UNSUBSCRIBE, mailing=mailing)
    answer = Client().get(f"{link}{added}")
    assert (answer.status_code, answer["Location"]) == (302, link)
    page = Client().get(answer["Location"])
    assert page.status_code == 200
    assert "Unsubscribe from" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("added", ADDED_BEFORE)
def test_a_link_with_something_before_its_token_opens_its_page(link: str, added: str) -> None:
    assert Client().get(f"/u/{added}{link[3:]}")["Location"] == link


@pytest.mark.django_db
def test_a_link_with_a_line_break_in_it_opens_its_page(link: str) -> None:
    answer = Client().get(f"{link[:30]}=%0D%0A{link[30:50]}%20{link[50:]}?lang=es")
    assert (answer.status_code, answer["Location"]) == (302, f"{link}?lang=es")


@pytest.mark.django_db
def test_a_token_keeps_its_capitals_if_its_path_has_some(link: str) -> None:
    assert link != link.lower()
    assert mend_path(f"/U{link[2:]}") == link
    assert mend_path(f"/U{link[2:]}/ALL.") == f"{link}/all"


@pytest.mark.django_db
def test_only_the_pages_of_a_token_follow_it(subscription: Subscription, link: str) -> None:
    assert mend_path(f"{link}/all") == ""
    assert mend_path(f"{link}/all/undo") == ""
    assert mend_path(f"{link}/ALL/Undo.") == f"{link}/all/undo"
    assert mend_path(f"{link}/all/thanks") == f"{link}/all"
    assert mend_path(f"{link}/all.") == f"{link}/all"
    assert mend_path(f"{link}/all and more") == f"{link}/all"
    assert mend_path(f"{link}/a=\r\nll") == f"{link}/all"
    assert mend_path(f"{link}/less") == link
    preferences = _make_path(subscription, Purpose.PREFERENCES)
    assert mend_path(f"{preferences}/less.") == f"{preferences}/less"


@pytest.mark.django_db
def test_a_changed_link_stays_on_this_site(link: str) -> None:
    for start in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"):
        assert mend_path(f"{start}{link}.") == ""
    assert mend_path(f"{link}//evil.example/all") == link


@pytest.mark.django_db
def test_a_link_of_another_purpose_is_not_mended(link: str) -> None:
    assert mend_path(f"/p{link[2:]}.") == ""


@pytest.mark.django_db
def test_a_link_that_was_cut_off_offers_a_new_one(link: str) -> None:
    page = Client().get(f"{link[:-4]}=", follow=True)
    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()
    assert "/my-mail" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("start", TOKEN_PAGES)
@pytest.mark.parametrize("text", ["", "%22", "...", "a.html", "a/b/c", "%0A", "%3Ca%3E"])
def test_a_link_beyond_repair_offers_a_new_one(start: str, text: str) -> None:
    page = Client().get(f"/{start}/{text}")
    assert page.status_code == 404
    assert "/my-mail" in page.content.decode()


@pytest.mark.django_db
def test_an_unsubscribe_is_never_redirected(subscription: Subscription, link: str) -> None:
    for changed in (f"{link}=", f"{link}/", f"{link}%20Unsubscribe", f"{link}%0Aand"):
        page = Client().post(changed)
        assert page.status_code == 404
        assert "/my-mail" in page.content.decode()
    subscription.refresh_from_db()
    assert subscription.ended_at is None


@pytest.mark.django_db
def test_no_log_line_has_a_token_to_which_something_was_added(link: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Client().post(f"{link}=")
        Client().get(f"{link[:-1]}.Thanks")
    assert link[3:30] not in caplog.text


@pytest.mark.parametrize(
    ("path", "mended"),
    [
        ("/view/ab12.", "/view/ab12"),
        ("/view/ab12 and more", "/view/ab12"),
        ("/view/ab=\r\n12", "/view/ab12"),
        ("/VIEW/AB12", "/view/ab12"),
        ("/calendar/3-ab12)", "/calendar/3-ab12"),
        ("/calendar/3-ab12.ics>", "/calendar/3-ab12.ics"),
        ("/news/weekly", "/news/weekly/"),
        ("/news/weekly/.", "/news/weekly/"),
        ("/Join/weekly,", "/join/weekly"),
        ("/my-mail", ""),
        ("/my-mail.", "/my-mail"),
        ("/my-mail/", "/my-mail"),
        ("/My-mail)", "/my-mail"),
        ("/admin/issues/1.", ""),
        ("/admin", ""),
        ("/nothing.", ""),
        ("/nothing/here.", ""),
        ("/", ""),
    ],
)
def test_only_paths_of_public_pages_are_mended(path: str, mended: str) -> None:
    assert mend_path(path) == mended
