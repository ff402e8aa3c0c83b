"""Single mails by the API: approved templates only, each mail once, nobody who must not be mailed, nothing kept."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from newsletter.common.errors import NotAllowed
from newsletter.models import ApiAnswer, MailTemplate, Publication, TemplateMail
from newsletter.sending.adapters import current_adapter
from newsletter.sending.limits.installation_hold import get_installation, release_installation
from newsletter.sending.notices import template_mails
from newsletter.sending.notices.mail_templates import approve_template, save_text, withdraw_approval
from newsletter.sending.notices.template_mails import delete_old_mails, send_due_mails
from newsletter.sending.notices.template_texts import BadTemplate, hash_template, is_approved
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain
from subscribers.erasing.erasure import erase_person
from subscribers.people.describe_person import describe_person
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.suppress_email import suppress_email
from tests.support.api import call, create_key, problem
from tests.support.fixtures import make_approver, make_publication
from tests.support.mail_templates import TEXTS, make_mail_template
from tests.support.people import NOW, make_list, make_member
from tests.support.provider_faults import answer

pytestmark = pytest.mark.django_db
SCOPE = "mails:send"
EMAIL = "ada@example.org"
VALUES = {"first_name": "Ada", "amount": "£25"}


@pytest.fixture
def provider(fake_provider: Any, settings: Any) -> Iterator[Any]:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    yield fake_provider
    current_adapter().close()


@pytest.fixture(name="publication")
def _publication() -> Publication:
    return make_publication()


@pytest.fixture
def template(publication: Publication) -> MailTemplate:
    return make_mail_template(publication)


def post(key: str, *, once: str = "gift-1", **fields: object) -> Any:
    body = {"template": "thank-you", "email": EMAIL, "values": VALUES, **fields}
    return call("post", "mails", body, key=key, idempotency_key=once)


def read_state(key: str, mail: int) -> str:
    return str(call("get", f"mails/{mail}", key=key).json()["state"])


def add_text(template: MailTemplate, language: str, **texts: str) -> None:
    by = User.objects.create(username=f"translator into {language}")
    save_text(template=template, language=language, texts={**TEXTS, **texts}, by=by, now=NOW)


def approve(template: MailTemplate, email: str = "kim@example.org") -> None:
    approve_template(template=template, sha256=hash_template(template), by=make_approver(email), now=NOW)


def test_under_another_address_key_a_call_is_to_be_made_again_later(template: MailTemplate, settings: Any) -> None:
    get_installation(now=NOW)
    key, right = create_key(SCOPE), settings.SUBSCRIBERS_ADDRESS_KEY
    settings.SUBSCRIBERS_ADDRESS_KEY = "another key of addresses, also of 32 bytes"
    answer = post(key)
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "60", "address_key_differs")
    settings.SUBSCRIBERS_ADDRESS_KEY = right
    assert post(key).status_code == 202


def test_a_mail_is_sent_once_with_its_values_and_then_forgotten(provider: Any, template: MailTemplate) -> None:
    key = create_key(SCOPE)
    first = post(key)
    assert (first.status_code, first.json()["state"]) == (202, "waiting")
    assert send_due_mails(now=timezone.now()) == 1
    assert send_due_mails(now=timezone.now()) == 0
    (mail,) = provider.mailbox(EMAIL)
    assert mail.subject == "Thank you, Ada"
    assert "thank you for your gift of £25" in mail.html
    assert "unsubscribe" not in {name.lower().removeprefix("list-") for name in mail.headers}
    assert read_state(key, first.json()["id"]) == "accepted"
    row = TemplateMail.objects.get()
    assert (row.email, row.values) == ("", {})


def test_the_same_idempotency_key_never_sends_twice(provider: Any, template: MailTemplate) -> None:
    key = create_key(SCOPE)
    ids = {post(key).json()["id"] for _ in range(2)}
    ApiAnswer.objects.all().delete()  # as after 24 hours
    again = post(key)
    assert (again.status_code, ids) == (200, {again.json()["id"]})
    changed = post(key, values={**VALUES, "amount": "£30"})
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    send_due_mails(now=timezone.now())
    assert provider.accepted_counts() == {EMAIL: 1}
    assert post(create_key(SCOPE, name="Another")).status_code == 202


def test_a_mail_that_waited_in_a_backup_is_not_sent_after_it_was_restored(
    provider: Any, template: MailTemplate
) -> None:
    """It was sent after the backup, or nobody knows. One that is asked for during the hold was not sent before."""
    key = create_key(SCOPE)
    restored = post(key).json()["id"]
    assert mark_open_batches_uncertain(now=timezone.now()).single_mails == 1
    asked_since = post(key, once="gift-2").json()["id"]
    assert send_due_mails(now=timezone.now()) == 0
    assert mark_open_batches_uncertain(now=timezone.now()).single_mails == 1, "on another machine"
    release_installation(now=timezone.now())
    assert send_due_mails(now=timezone.now()) == 1
    assert (read_state(key, restored), read_state(key, asked_since)) == ("uncertain", "accepted")
    assert TemplateMail.objects.get(pk=restored).email == ""
    assert mark_open_batches_uncertain(now=timezone.now()).single_mails == 0, "an earlier restore's"


def test_the_database_keeps_two_mails_from_one_request(template: MailTemplate) -> None:
    post(create_key(SCOPE))
    row = TemplateMail.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_a_mail_without_an_idempotency_key_is_refused(template: MailTemplate) -> None:
    answer_ = call("post", "mails", {"template": "thank-you", "email": EMAIL}, key=create_key(SCOPE))
    assert (answer_.status_code, answer_.json()["code"]) == (422, "idempotency_key_missing")


def test_only_a_template_that_is_approved_as_it_is_now_is_sent(provider: Any, publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    key = create_key(SCOPE)
    assert post(key).json()["code"] == "template_not_approved"
    approve(template)
    mail = post(key).json()["id"]
    add_text(template, "en", subject="Something else")
    assert post(key, once="gift-2").json()["code"] == "template_not_approved"
    assert send_due_mails(now=timezone.now()) == 0
    assert read_state(key, mail) == "failed"
    assert provider.accepted_counts() == {}
    approve(template)
    withdraw_approval(template=template)
    assert post(key, once="gift-3").json()["code"] == "template_not_approved"


def test_an_editor_cannot_approve_if_issues_need_another_person(publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    by = make_approver("kim@example.org")
    save_text(template=template, language="en", texts=TEXTS, by=by, now=NOW)
    Publication.objects.update(another_approves=True)
    with pytest.raises(NotAllowed, match="another person"):
        approve(template)
    approve(template, "lee@example.org")
    template.refresh_from_db()
    assert is_approved(template)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"first_name": "Ada"}, "“amount” is missing"),
        ({**VALUES, "town": "Leeds"}, "no field “town”"),
        ({**VALUES, "amount": ""}, "one line of 1 to 200"),
        ({**VALUES, "amount": "x" * 201}, "one line of 1 to 200"),
        ({**VALUES, "amount": "1\n2"}, "one line of 1 to 200"),
        ({**VALUES, "amount": "https://evil.example"}, "web address"),
        ({**VALUES, "amount": "{{ first_name }}"}, "braces"),
    ],
)
def test_values_that_do_not_fit_the_template_are_refused(
    template: MailTemplate, values: dict[str, str], said: str
) -> None:
    assert said in problem(post(create_key(SCOPE), values=values), 422)
    assert not TemplateMail.objects.exists()


def test_a_value_is_text_in_the_mail_and_cannot_change_a_link(provider: Any, template: MailTemplate) -> None:
    post(create_key(SCOPE), values={"first_name": "<b>&/../?x=1", "amount": "{first_name}"})
    send_due_mails(now=timezone.now())
    (mail,) = provider.mailbox(EMAIL)
    assert "&lt;b&gt;&amp;/../?x=1" in mail.html
    assert "<b>&" not in mail.html
    assert "gift of {first_name}" in mail.text
    assert "https://example.org/gifts/?for=%3Cb%3E%26%2F..%2F%3Fx%3D1" in mail.text


@pytest.mark.parametrize(
    ("reason", "status"),
    [("hard", 409), ("complaint", 409), ("staff", 409), ("legal", 409), ("unsubscribe", 202)],
)
def test_only_a_person_who_merely_unsubscribed_gets_an_answer(template: MailTemplate, reason: str, status: int) -> None:
    suppress_email(email=EMAIL, reason=reason, now=NOW)
    answer_ = post(create_key(SCOPE))
    assert answer_.status_code == status
    assert status == 202 or answer_.json()["code"] == "suppressed"


def test_an_address_that_has_just_complained_is_not_mailed(provider: Any, template: MailTemplate) -> None:
    key = create_key(SCOPE)
    mail = post(key).json()["id"]
    suppress_email(email=EMAIL, reason="complaint", now=NOW)
    assert send_due_mails(now=timezone.now()) == 0
    assert (read_state(key, mail), provider.accepted_counts()) == ("failed", {})


def test_a_person_gets_the_texts_in_their_language_or_the_senders(provider: Any, publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    add_text(template, "es", subject="Gracias, {first_name}")
    approve(template)
    ada = make_member(publication.mailing_list, EMAIL)
    type(ada).objects.filter(pk=ada.pk).update(language="es-MX")
    key = create_key(SCOPE)
    assert post(key, email=None, person=ada.pk).json()["language"] == "es-MX"
    post(key, once="gift-2", language="fr")
    send_due_mails(now=timezone.now())
    assert {mail.subject for mail in provider.mailbox(EMAIL)} == {"Gracias, Ada", "Thank you, Ada"}


def test_a_mail_names_a_person_or_an_address_and_not_both(template: MailTemplate) -> None:
    key = create_key(SCOPE)
    assert "either person or email" in problem(post(key, person=1), 422)
    assert "either person or email" in problem(post(key, email=None), 422)
    assert "No person" in problem(post(key, email=None, person=99), 404)
    assert "no mail template" in problem(post(key, template="other"), 404)
    assert problem(post(key, email="nobody"), 422)


def test_a_mail_whose_outcome_is_unknown_is_not_sent_again(provider: Any, template: MailTemplate) -> None:
    key = create_key(SCOPE)
    provider.fault_next(answer(500))
    mail = post(key).json()["id"]
    now = timezone.now()
    send_due_mails(now=now)
    send_due_mails(now=now + timedelta(hours=1))
    assert read_state(key, mail) == "uncertain"
    assert len(provider.ledger) == 1


def test_a_mail_that_was_not_taken_is_tried_again(provider: Any, template: MailTemplate) -> None:
    key = create_key(SCOPE)
    provider.fault_next(answer(429))
    post(key)
    now = timezone.now()
    assert send_due_mails(now=now) == 0
    assert TemplateMail.objects.get().state == "waiting"
    assert send_due_mails(now=now + timedelta(hours=1)) == 1
    assert provider.accepted_counts() == {EMAIL: 1}


def test_a_program_killed_during_the_call_leaves_the_mail_uncertain(template: MailTemplate, provider: Any) -> None:
    post(create_key(SCOPE))
    now = timezone.now()
    TemplateMail.objects.update(state="sending", sent_at=now)
    send_due_mails(now=now + timedelta(minutes=9))
    assert TemplateMail.objects.get().state == "sending"
    send_due_mails(now=now + timedelta(minutes=11))
    row = TemplateMail.objects.get()
    assert (row.state, row.email, len(provider.ledger)) == ("uncertain", "", 0)


def test_one_address_gets_a_limited_number_of_mails_a_day(
    template: MailTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_mails, "MAX_TO_ONE_ADDRESS", 2)
    key = create_key(SCOPE)
    assert [post(key, once=f"gift-{number}").status_code for number in range(3)] == [202, 202, 429]
    assert post(key, once="gift-9", email="bea@example.org").status_code == 202


def test_a_key_of_some_lists_uses_only_their_templates_and_people(template: MailTemplate) -> None:
    board = make_list("board")
    ada = make_member(template.publication.mailing_list, EMAIL)
    key = create_key(SCOPE, lists=[board])
    assert call("get", "mail-templates", key=key).json()["items"] == []
    problem(post(key), 404)
    own = create_key(SCOPE, name="Own", lists=[template.publication.mailing_list])
    assert [row["slug"] for row in call("get", "mail-templates", key=own).json()["items"]] == ["thank-you"]
    assert post(own, email=None, person=ada.pk).status_code == 202
    bea = make_member(board, "bea@example.org")
    problem(post(own, once="gift-2", email=None, person=bea.pk), 404)


def test_only_its_key_finds_a_mail(template: MailTemplate) -> None:
    mail = post(create_key(SCOPE)).json()["id"]
    other = create_key(SCOPE, name="Another")
    problem(call("get", f"mails/{mail}", key=other), 404)
    assert call("get", "mails", key=other).json()["items"] == []


def test_a_mail_is_exported_and_erased_with_its_person(provider: Any, template: MailTemplate) -> None:
    ada = make_member(template.publication.mailing_list, EMAIL)
    post(create_key(SCOPE))
    (told,) = describe_person(ada, now=NOW)["single_mails"]  # type: ignore[misc]
    assert (told["template"], told["values"]) == ("Thank you", VALUES)
    send_due_mails(now=timezone.now())
    keep = make_member(template.publication.mailing_list, "ada.l@example.org")
    merge_people(keep=keep, absorb=ada, now=timezone.now())
    assert len(describe_person(keep, now=NOW)["single_mails"]) == 1  # type: ignore[arg-type]
    erase_person(subscriber=keep, by="kim", now=timezone.now())
    assert not TemplateMail.objects.exists()
    assert post(create_key(SCOPE, name="Later"), email="ada.l@example.org").json()["code"] == "suppressed"


def test_rows_of_mails_are_deleted_after_90_days_unless_they_wait(template: MailTemplate) -> None:
    post(create_key(SCOPE))
    later = timezone.now() + timedelta(days=91)
    delete_old_mails(now=later)
    assert TemplateMail.objects.count() == 1
    TemplateMail.objects.update(state="accepted", email="")
    delete_old_mails(now=later - timedelta(days=2))
    assert TemplateMail.objects.count() == 1
    delete_old_mails(now=later)
    assert not TemplateMail.objects.exists()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"body": "Dear {nobody}"}, "{nobody}"),
        ({"body": "Dear {{ first_name }}"}, "single braces"),
        ({"button_url": ""}, "label and a link"),
        ({"button_url": "https://{first_name}.example.org/"}, "behind the host"),
        ({"button_url": "javascript:alert(1)"}, "whole link"),
    ],
)
def test_a_text_that_could_mislead_is_not_saved(template: MailTemplate, texts: dict[str, str], said: str) -> None:
    with pytest.raises(BadTemplate) as raised:
        add_text(template, "en", **texts)
    assert said in str(raised.value)
    assert is_approved(template)
