"""The page of mail that comes in: who may see it, what waits there, and its two steps."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.desk.home.list_tasks import find_tasks
from newsletter.inbound.settings import parse_sources
from newsletter.models import InboundForward, MailboxReading
from subscribers.models import Reply
from tests.support.desk import sign_in
from tests.support.fixtures import make_publication
from tests.support.inbound_mails import INBOUND_ADDRESS, make_waiting_reply
from tests.support.people import make_person

pytestmark = pytest.mark.django_db
PAGE = "/admin/replies/"
URL = "imaps://replies:secret@mail.example.org/INBOX"


def see(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_the_page_says_that_no_mail_comes_in() -> None:
    page = see(sign_in("data"))
    assert "no mailbox or webhook is set up" in page
    assert "No mail waits for you." in page


def test_the_page_shows_how_reading_goes(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources([URL, "inbound://postmark"])
    settings.NEWSLETTER_INBOUND_ADDRESS = INBOUND_ADDRESS
    client = sign_in("data")
    assert "not yet" in see(client)
    (mailbox,) = settings.NEWSLETTER_INBOUND.mailboxes
    reading = MailboxReading.objects.create(label=mailbox.label, read_at=timezone.now())
    page = see(client)
    assert INBOUND_ADDRESS in page
    assert "Works" in page
    assert "webhook of Postmark" in page
    assert "secret" not in page
    MailboxReading.objects.filter(pk=reading.pk).update(failing_since=timezone.now(), error="It hangs.")
    assert "It hangs." in see(client)


def test_a_waiting_reply_is_shown_with_a_masked_address_as_text() -> None:
    mail = make_waiting_reply(text="<b>Thank</b> you\nAna", subject="<i>Hi</i>")
    InboundForward.objects.create(mail=mail, email="office@example.org", refusal="no such mailbox")
    page = see(sign_in("data"))
    assert "a•••@e•••.com" in page
    assert "ana@example.com" not in page
    assert "&lt;b&gt;Thank&lt;/b&gt; you<br>Ana" in page
    assert "&lt;i&gt;Hi&lt;/i&gt;" in page
    assert "office@example.org: no such mailbox" in page


def test_a_mail_that_cannot_be_read_shows_how_it_begins() -> None:
    make_waiting_reply(state="unreadable", kind="", raw=b"\x00From: \xff<a@b>\r\n", sender="", text="")
    page = see(sign_in("data"))
    assert "that cannot be read" in page
    assert "From: \N{REPLACEMENT CHARACTER}&lt;a@b&gt;" in page
    assert "Forward it again" not in page


def test_a_reply_is_sent_on_again_once() -> None:
    make_publication()
    mail, client = make_waiting_reply(), sign_in("data")
    page = client.post(PAGE, {"again": mail.pk}, follow=True).content.decode()
    assert "The reply is forwarded within a minute." in page
    mail.refresh_from_db()
    assert mail.state == "to_send_on"
    assert mail.forwards.count() == 1
    assert "already done this" in client.post(PAGE, {"again": mail.pk}, follow=True).content.decode()


def test_a_reply_is_deleted_when_staff_have_done_it() -> None:
    mail, client = make_waiting_reply(), sign_in("data")
    assert "Deleted here." in client.post(PAGE, {"done": mail.pk}, follow=True).content.decode()
    mail.refresh_from_db()
    assert (mail.state, mail.text, mail.sender) == ("done", "", "")
    for posted in ({"done": mail.pk}, {"done": "x"}, {}):
        assert "already done this" in client.post(PAGE, posted, follow=True).content.decode()


def test_the_page_counts_what_came_in() -> None:
    make_waiting_reply(key="2" * 64, state="done", kind="unsubscribe", sender="", sender_name="", subject="", text="")
    page = see(sign_in("data"))
    assert "The last 30 days" in page
    assert "<td>Unsubscribe</td><td>1</td>" in page


@pytest.mark.parametrize(("role", "status"), [("data", 200), ("admin", 200), ("approver", 302), ("writer", 302)])
def test_only_those_who_look_after_people_see_it(role: str, status: int) -> None:
    assert sign_in(role).get(PAGE).status_code == status


def test_home_names_what_waits(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources([URL])
    (mailbox,) = settings.NEWSLETTER_INBOUND.mailboxes
    since = timezone.now() - timedelta(hours=1)
    MailboxReading.objects.create(label=mailbox.label, failing_since=since, error="It hangs.")
    make_waiting_reply()
    make_waiting_reply(key="2" * 64)
    person = User.objects.create_superuser("dan", "dan@example.org")
    found = [task.detail for task in find_tasks(now=timezone.now(), person=person) if task.url == PAGE]
    assert found == ["It hangs.", "2 replies could not be forwarded by mail."]
    writer = User.objects.create_user("writer")
    assert not [task for task in find_tasks(now=timezone.now(), person=writer) if task.url == PAGE]


def test_the_menu_has_the_page_only_if_mail_comes_in(settings: Any) -> None:
    client = sign_in("data")
    assert f'href="{PAGE}"' not in client.get("/admin/").content.decode()
    settings.NEWSLETTER_INBOUND = parse_sources([URL])
    assert PAGE in client.get("/admin/").content.decode()


def test_a_persons_page_says_that_a_reply_came_by_mail() -> None:
    person = make_person("ana@example.com")
    Reply.objects.create(subscriber=person, replied_on="2026-03-02", origin="mail", by="", recorded_at=timezone.now())
    page = sign_in("data").get(f"/admin/people/{person.pk}/").content.decode()
    assert "(came in by mail)" in page
