"""The pages of canary mailboxes, and what the page of an issue says about its canaries."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from newsletter.inbound.canaries.notices import FAILING_FOR, notify_canary_results
from newsletter.models import AuditEntry, CanaryMail, CanaryMailbox, Issue, Send, StaffNotice
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.canaries.passwords import SEALER, read_password, reseal_passwords
from newsletter.sending.freezing.start import start_send
from tests.support.canaries import (
    ADDRESS,
    CanaryServer,
    make_mailbox,
    make_sample_results,
    make_unread_mailbox,
)
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, make_approver, make_publication
from tests.support.imap_server import PASSWORD, USER, run_imap_server
from tests.support.name_lookups import fail_lookups
from tests.support.sends import make_ready_issue

pytestmark = pytest.mark.django_db
PAGE = "/admin/canaries/"


@pytest.fixture
def server() -> Iterator[CanaryServer]:
    with run_imap_server(CanaryServer()) as running:
        assert isinstance(running, CanaryServer)
        yield running


def read(response: Any) -> str:
    """Return the text of a page on one line."""
    return " ".join(lxml.html.fromstring(response.content.decode()).text_content().split())


def enter(server: CanaryServer, **changes: object) -> dict[str, object]:
    entered = {"address": ADDRESS, "host": "127.0.0.1", "port": server.port, "user": "", "password": PASSWORD}
    return {**entered, **changes}


def see_issue(issue: Issue, *, role: str = "approver") -> str:
    return read(sign_in(role).get(f"/admin/issues/{issue.pk}/overview/"))


def test_a_mailbox_is_saved_once_signing_in_works(server: CanaryServer) -> None:
    client = sign_in("admin")
    said = read(client.post(PAGE, enter(server), follow=True))
    assert f"We signed in to {ADDRESS}. It is in use now." in said
    mailbox = CanaryMailbox.objects.get()
    assert (mailbox.user, mailbox.enabled, read_password(mailbox)) == (ADDRESS, True, PASSWORD)
    assert PASSWORD not in mailbox.sealed_password
    assert [command.split(" ")[0] for command in server.commands if "LOG" in command] == ["LOGIN", "LOGOUT"]


@pytest.mark.parametrize(
    ("fault", "changes", "says"),
    [
        ({"refuses": "LOGIN"}, {}, "refuses the user"),
        ({"boxes": {"Junk": []}}, {}, "has no inbox"),
        ({}, {"address": "nobody"}, "@"),
        ({}, {"address": "person1@example.com"}, "is the address of a subscriber"),
        ({}, {"port": 9}, "cannot be read (Connection refused)"),
        ({}, {"password": ""}, "required"),
        ({"hangs_at": "LIST"}, {}, "does not answer in time"),
    ],
)
def test_a_mailbox_that_cannot_work_is_not_saved(
    fault: dict[str, Any], changes: dict[str, object], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ready_issue(recipients=2)
    monkeypatch.setattr("newsletter.inbound.canaries.accounts.READ_SECONDS", 1.0)
    with run_imap_server(CanaryServer(**fault)) as server:
        assert isinstance(server, CanaryServer)
        answer = sign_in("admin").post(PAGE, enter(server, **changes))
    assert (answer.status_code, CanaryMailbox.objects.count()) == (400, 0)
    assert says in read(answer)
    assert PASSWORD not in answer.content.decode()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (socket.EAI_NONAME, "No mail server is found at imap.example, so the canary is not read. Check the spelling."),
        (socket.EAI_AGAIN, "imap.example cannot be looked up in DNS at the moment."),
    ],
)
def test_only_a_name_that_dns_does_not_know_is_misspelled(
    server: CanaryServer, monkeypatch: pytest.MonkeyPatch, code: int, says: str
) -> None:
    make_ready_issue(recipients=2)
    fail_lookups(monkeypatch, code)
    answer = sign_in("admin").post(PAGE, enter(server, host="imap.example"))
    assert answer.status_code == 400
    assert says in read(answer)


def test_an_address_is_a_canary_once(server: CanaryServer) -> None:
    make_mailbox(server)
    answer = sign_in("admin").post(PAGE, enter(server, address=ADDRESS.upper()))
    assert "is a canary already" in read(answer)


def test_a_mailbox_is_changed_without_entering_its_password_again(server: CanaryServer) -> None:
    mailbox = make_mailbox(server, failing_since=NOW, error="it was away")
    page = f"{PAGE}{mailbox.pk}/"
    client, other = sign_in("admin"), "other@mailboxes.example.net"
    assert PASSWORD not in client.get(page).content.decode()
    said = read(client.post(page, enter(server, password="", enabled="on", address=other, user=USER), follow=True))
    assert "Saved. We signed in to it." in said
    mailbox.refresh_from_db()
    assert (mailbox.address, read_password(mailbox), mailbox.error) == (other, PASSWORD, "")


def test_a_mailbox_that_is_turned_off_needs_no_server() -> None:
    mailbox = make_unread_mailbox()
    fields = {"address": ADDRESS, "host": "127.0.0.1", "port": "9", "user": USER}
    said = read(sign_in("admin").post(f"{PAGE}{mailbox.pk}/", fields, follow=True))
    assert "Saved. It is not in use." in said
    assert not CanaryMailbox.objects.get().enabled


@pytest.mark.parametrize("enabled", [{"enabled": "on"}, {}])
@pytest.mark.parametrize("changes", [{"host": "localhost"}, {"port": 9}, {"user": "other"}])
def test_a_stored_password_is_sent_to_no_other_server_or_user(
    server: CanaryServer, changes: dict[str, object], enabled: dict[str, str]
) -> None:
    mailbox = make_mailbox(server)
    entered = enter(server, password="", user=USER) | enabled | changes
    answer = sign_in("admin").post(f"{PAGE}{mailbox.pk}/", entered)
    assert answer.status_code == 400
    assert "so the stored password was not sent there. Enter the password again." in read(answer)
    assert server.commands == []
    mailbox.refresh_from_db()
    assert (mailbox.host, mailbox.port, mailbox.user) == ("127.0.0.1", server.port, USER)


def test_the_staff_log_names_the_old_and_the_new_server(server: CanaryServer) -> None:
    mailbox = make_unread_mailbox()
    sign_in("admin").post(f"{PAGE}{mailbox.pk}/", enter(server, enabled="on", user=USER))
    assert AuditEntry.objects.get(action="newsletter.canary_changed").data == {
        "address": ADDRESS,
        "server_before": f"{USER} at 127.0.0.1:9",
        "server": f"{USER} at 127.0.0.1:{server.port}",
    }


def test_a_mailbox_is_turned_off_also_if_its_address_is_a_subscribers() -> None:
    make_ready_issue(recipients=2)
    mailbox = make_unread_mailbox(address="person1@example.com", sealed_password="sealed with a key that is lost")
    fields = {"address": mailbox.address, "host": "127.0.0.1", "port": "9", "user": USER}
    said = read(sign_in("admin").post(f"{PAGE}{mailbox.pk}/", fields, follow=True))
    assert "Saved. It is not in use." in said
    mailbox.refresh_from_db()
    assert (mailbox.enabled, mailbox.sealed_password) == (False, "sealed with a key that is lost")


def test_a_mailbox_whose_inbox_may_not_be_read_is_not_saved(server: CanaryServer) -> None:
    server.denied = "EXAMINE", "INBOX"
    answer = sign_in("admin").post(PAGE, enter(server))
    assert (answer.status_code, CanaryMailbox.objects.count()) == (400, 0)
    assert "not allowed" in read(answer)


def test_a_sign_in_that_works_ends_the_failure(server: CanaryServer) -> None:
    mailbox = make_mailbox(server, failing_since=NOW, error="it was away")
    client, page = sign_in("admin"), f"{PAGE}{mailbox.pk}/"
    assert "It could not be read since" in read(client.get(page))
    assert "It could not be read since" not in read(client.post(page, {"step": "try"}, follow=True))
    mailbox.refresh_from_db()
    assert (mailbox.failing_since, mailbox.error) == (None, "")


def test_signing_in_is_tried_by_a_button_and_a_mailbox_is_removed(server: CanaryServer) -> None:
    mailbox = make_mailbox(server)
    client, page = sign_in("admin"), f"{PAGE}{mailbox.pk}/"
    assert "Signing in works" in read(client.post(page, {"step": "try"}, follow=True))
    server.refuses = "LOGIN"
    assert "refuses the user" in read(client.post(page, {"step": "try"}, follow=True))
    assert "is removed" in read(client.post(page, {"step": "remove"}, follow=True))
    assert CanaryMailbox.objects.count() == 0


def test_a_password_sealed_with_an_old_key_is_sealed_again(server: CanaryServer, settings: Any) -> None:
    mailbox = make_mailbox(server)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of the installation"
    assert (reseal_passwords(), reseal_passwords()) == (1, 0)
    mailbox.refresh_from_db()
    assert SEALER.is_newest(mailbox.sealed_password)
    assert read_password(mailbox) == PASSWORD


def test_the_publication_form_says_what_canaries_do() -> None:
    publication = make_ready_issue(recipients=1).publication
    page = sign_in("admin").get(f"/admin/publications/edit/{publication.pk}/").content.decode()
    for name in ("canary", "canary_minutes", "canary_silence"):
        assert f'name="{name}"' in page


def make_send(**fields: Any) -> Send:
    issue = make_ready_issue(recipients=3, canary="stop")
    send = start_send(issue=issue, now=timezone.now())
    Send.objects.filter(pk=send.pk).update(**fields)
    send.refresh_from_db()
    return send


def test_an_issues_page_says_that_everybody_waits_and_for_how_long(settings: Any, fake_provider: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    send = make_send()
    assert "The canaries are sent in a moment." in see_issue(send.issue)
    make_sample_results(send, now=timezone.now())
    said = see_issue(send.issue)
    assert "Everybody else waits for the first canaries, at the latest until" in said
    assert "Waiting for the canaries." in said
    assert "canary@post.example.net" in said
    assert "In spam in Junk, after 14 seconds" in said
    assert "DKIM signature: The message is not signed. Verify your domain." in said
    assert "read by this installation, by IMAP," in said
    assert "Send to everybody without waiting" in said


def test_an_approver_continues_a_send_by_the_button() -> None:
    send = make_send()
    address = f"/admin/issues/{send.issue_id}/send/no-canary/"
    assert sign_in("writer").post(address).status_code in (302, 403)
    send.refresh_from_db()
    assert send.canary_decision == ""
    sign_in("approver").post(address)
    send.refresh_from_db()
    assert send.canary_decision == "by_staff"
    said = see_issue(send.issue)
    assert "A member of staff decided that the send goes on." in said
    assert "Send to everybody without waiting" not in said


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        ("passed", "The first canaries arrived well"),
        ("timed_out", "Not all first canaries were found in time."),
        ("not_sent", "No canary got the issue."),
        ("no_mailbox", "There was no canary mailbox in use"),
        ("to_files", "Mail was written to files"),
    ],
)
def test_an_issues_page_says_why_a_send_went_on(decision: str, says: str) -> None:
    assert says in see_issue(make_send(canary_decision=decision).issue)


def test_an_issue_without_canaries_says_nothing_of_them() -> None:
    issue = make_ready_issue(recipients=3)
    start_send(issue=issue, now=timezone.now())
    assert "Canaries" not in see_issue(issue)


def list_notices(now: Any) -> list[str]:
    notify_canary_results(now=now)
    notify_canary_results(now=now)
    return sorted(str(subject) for subject in StaffNotice.objects.values_list("subject", flat=True))


def test_staff_are_notified_once_of_spam_and_of_a_missing_mail() -> None:
    make_approver()
    send, now = make_send(canary_decision="watched"), timezone.now()
    make_sample_results(send, now=now)
    told = list_notices(now)
    assert [subject.partition(" No. ")[2] for subject in told] == [
        "1 did not arrive at a canary",
        "1 is in spam at a canary",
    ]
    assert "The message is not signed." in str(StaffNotice.objects.get(key__endswith="-spam").paragraphs)


def test_a_stop_by_a_canary_has_one_notice_of_its_own() -> None:
    make_approver()
    send, now = make_send(), timezone.now()
    make_sample_results(send, now=now)
    CanaryMail.objects.exclude(result="spam").delete()
    AutomaticPause.objects.create(send=send, rule="canary", cases=1, at=now)
    assert list_notices(now) == []


def test_staff_are_notified_of_a_send_that_continued_without_canaries() -> None:
    make_approver()
    make_send(canary_decision="timed_out")
    assert ["is being sent without its canaries" in subject for subject in list_notices(timezone.now())] == [True]


def test_administrators_are_notified_of_an_unreadable_mailbox() -> None:
    now = timezone.now()
    User.objects.create_superuser("admin@example.org", "admin@example.org")
    make_publication()
    make_unread_mailbox(failing_since=now - FAILING_FOR, error="it refuses the password", looked_at=now)
    assert list_notices(now) == [f"The canary {ADDRESS} cannot be read"]
    assert list_notices(now + timedelta(minutes=5)) == [f"The canary {ADDRESS} cannot be read"]


def test_nobody_is_notified_of_a_failure_that_was_seen_once() -> None:
    now = timezone.now()
    User.objects.create_superuser("admin@example.org", "admin@example.org")
    make_publication()
    long_ago = now - timedelta(days=1)
    make_unread_mailbox(failing_since=long_ago, error="it refuses the password", looked_at=long_ago)
    assert list_notices(now) == []
