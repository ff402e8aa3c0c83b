"""Provider accounts in the desk: the publication's form, a send by account, and moving the rest by hand."""

from datetime import date, timedelta

import pytest

from newsletter.models import AccountMove, AuditEntry, Publication, Send
from newsletter.sending.settling.account_moves import move_by_hand
from newsletter.sending.settling.send_controls import pause_send
from tests.support.accounts import make_issue_with_second
from tests.support.desk import list_messages, sign_in
from tests.support.desk_forms import filled_in, save
from tests.support.fixtures import NOW, make_approver
from tests.support.page_html import compact_html
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db
ACCOUNTS = "By provider account"


@pytest.fixture
def send(two_accounts: object) -> Send:
    return start_send(issue=make_issue_with_second(20), now=NOW)


def read(client: object, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def overview(send: Send) -> str:
    return f"/admin/issues/{send.issue_id}/overview/"


def move_page(send: Send) -> str:
    return f"/admin/issues/{send.issue_id}/send/account/"


def test_an_approver_moves_the_rest_and_the_page_shows_who_has_what(send: Send) -> None:
    approver = sign_in("approver")
    assert move_page(send) in read(approver, overview(send))
    page = read(approver, move_page(send))
    assert "Waiting for the account “default”: 20 people." in page
    assert "backup – Mailgun (other.example.org)" in page
    assert "Choose an account." in compact_html(approver.post(move_page(send), {}).content.decode())
    told = list_messages(approver.post(move_page(send), {"account": "backup"}, follow=True))
    assert told == ["20 people moved to the account “backup”."]
    page = read(approver, overview(send))
    assert ACCOUNTS in page
    assert "moved 20 people from “default” to “backup”." in page
    assert set(send.batches.values_list("account", flat=True)) == {"backup"}
    assert AccountMove.objects.get().by
    assert AuditEntry.objects.filter(action="newsletter.move_account").count() == 1


def test_a_writer_sees_the_accounts_and_cannot_move_anybody(send: Send) -> None:
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    writer = sign_in("writer")
    page = read(writer, overview(send))
    assert ACCOUNTS in page
    assert move_page(send) not in page
    assert writer.get(move_page(send)).status_code == 302


def test_an_automatic_move_is_explained_with_its_reason(send: Send) -> None:
    AccountMove.objects.create(
        send=send,
        from_account="default",
        to_account="backup",
        code="refused",
        reason="the account must be paid",
        batches=1,
        people=1,
        at=NOW + timedelta(minutes=1),
    )
    page = read(sign_in("approver"), overview(send))
    assert "1 person moved from “default”, which refused to send for us, to “backup”. The account must be paid." in page


def test_a_continuing_move_says_that_more_people_follow(send: Send) -> None:
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    approver = sign_in("approver")
    assert "More people follow" not in read(approver, overview(send))
    AccountMove.objects.update(unfinished=True)
    page = read(approver, overview(send))
    assert "moved 20 people from “default” to “backup”. More people follow within minutes." in page


def test_a_single_account_is_not_mentioned(publication: Publication, settings: object) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    send = start_send(issue=make_issue_with_second(2, slug="other", second_account=""), now=NOW)
    page = read(sign_in("approver"), overview(send))
    assert ACCOUNTS not in page
    assert move_page(send) not in page


def test_the_page_names_an_account_whose_setting_is_gone(send: Send, settings: object) -> None:
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    pause_send(send=send, by=make_approver())
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    page = read(sign_in("approver"), overview(send))
    assert "there is no NEWSLETTER_PROVIDER_URL_BACKUP" in page
    assert move_page(send) in page


def refuse_page(send: Send) -> str:
    answer = sign_in("approver").get(move_page(send), follow=True)
    assert answer.redirect_chain == [(overview(send), 302)]
    (told,) = list_messages(answer)
    return told


def test_the_page_says_if_everybody_has_the_mail_or_no_account_is_left(send: Send, settings: object) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "nonsense://"}
    told = refuse_page(send)
    assert "No other account can be used, so the rest (20 people) still waits for the account “default”." in told
    assert "Ask your administrator" in told
    send.batches.update(state="accepted")
    assert "all have the mail, may have it or do not get it" in refuse_page(send)
    Send.objects.update(state=Send.State.PREPARING)
    assert "nothing of it can move" in refuse_page(send)


def edit_page(publication: Publication) -> str:
    return f"/admin/publications/edit/{publication.pk}/"


def test_a_publication_without_further_accounts_asks_nothing_about_them(publication: Publication) -> None:
    assert "second_account" not in filled_in(read(sign_in("admin"), edit_page(publication)))


def test_staff_choose_the_accounts_of_a_publication(publication: Publication, two_accounts: object) -> None:
    admin = sign_in("admin")
    fields = filled_in(read(admin, edit_page(publication)))
    assert (fields["account"], fields["second_account"]) == (["default"], [""])
    save(admin, edit_page(publication), account="default", second_account="backup", second_warm_up_from="2026-03-04")
    publication.refresh_from_db()
    chosen = (publication.account, publication.second_account, publication.second_warm_up_from)
    assert chosen == ("default", "backup", date(2026, 3, 4))
    page = save(admin, edit_page(publication), account="backup")
    assert "This is the first account. Choose another, or none." in page


def test_an_account_that_is_gone_is_named_in_the_form(publication: Publication, two_accounts: object) -> None:
    Publication.objects.update(second_account="removed")
    admin = sign_in("admin")
    assert "removed (not configured)" in read(admin, edit_page(publication))
    save(admin, edit_page(publication), name="Another name")
    publication.refresh_from_db()
    assert (publication.name, publication.second_account) == ("Another name", "removed")


def test_an_account_that_is_gone_cannot_be_chosen(publication: Publication, two_accounts: object) -> None:
    page = save(sign_in("admin"), edit_page(publication), second_account="removed")
    assert "The provider account “removed” cannot be used, so it was not chosen. Choose one from the list." in page
