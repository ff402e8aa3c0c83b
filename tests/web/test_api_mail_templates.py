"""Templates of single mails by the API: written and deleted there, approved in the desk, and never with a protected term."""

from typing import Any

import pytest
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.models import MailTemplate, ProtectedTerm, Publication, TemplateMail
from newsletter.sending.adapters import current_adapter
from newsletter.sending.notices.mail_templates import approve_template, withdraw_approval
from newsletter.sending.notices.template_mails import send_due_mails
from newsletter.sending.notices.template_texts import hash_template, is_approved
from tests.support.api import call, create_key, problem
from tests.support.fixtures import make_approver, make_publication
from tests.support.mail_templates import FIELDS, TEXTS, make_mail_template
from tests.support.people import NOW, make_list
from tests.support.protected_terms import MASKED, SECRET, protect

pytestmark = pytest.mark.django_db
PATH = "mail-templates/thank-you"


@pytest.fixture(name="publication")
def _publication() -> Publication:
    return make_publication()


def write_key(**more: Any) -> str:
    return create_key("mails:write", name="Event system", **more)


def send_mail(once: str = "gift-1", **values: str) -> Any:
    key = create_key("mails:send", name=f"key of {once}")
    body = {"template": "thank-you", "email": "ada@example.org", "values": {**FIELDS, **values}}
    return call("post", "mails", body, key=key, idempotency_key=once)


def code(answer: Any) -> str:
    return str(answer.json()["code"])


def test_a_template_is_written_by_the_api_and_approved_in_the_desk(publication: Publication) -> None:
    key = write_key()
    given = {"name": "Thank you", "publication": publication.slug, "fields": FIELDS}
    made = call("post", "mail-templates", given, key=key)
    assert (made.status_code, made.json()["slug"], made.json()["texts"]) == (201, "thank-you", {})
    written = call("put", f"{PATH}/texts/en", TEXTS, key=key)
    assert (written.status_code, written.json()["texts"]) == (200, {"en": TEXTS})
    assert call("put", f"{PATH}/texts/es", TEXTS, key=key).json()["languages"] == ["en", "es"]
    changed = call("patch", PATH, {"fields": {**FIELDS, "city": "Leeds"}}, key=key)
    assert changed.json()["fields"] == {**FIELDS, "city": "Leeds"}
    assert call("delete", f"{PATH}/texts/es", key=key).json() == call("get", PATH, key=key).json()
    template = MailTemplate.objects.get()
    approve_template(template=template, sha256=hash_template(template), by=make_approver(), now=NOW)
    assert call("get", PATH, key=key).json()["approved"]
    logged = ModelLogEntry.objects.filter(action__startswith="newsletter.mail_template").order_by("pk")
    assert [entry.action.rpartition("_")[2] for entry in logged] == ["made", "edited", "edited", "edited", "edited"]
    assert {entry.data["key"] for entry in logged} == {"Event system"}


def test_the_api_ends_no_approval(publication: Publication) -> None:
    template, key = make_mail_template(publication), write_key()
    for answer in (
        call("patch", PATH, {"fields": FIELDS}, key=key),
        call("put", f"{PATH}/texts/en", TEXTS, key=key),
        call("delete", f"{PATH}/texts/en", key=key),
        call("delete", PATH, key=key),
    ):
        assert "withdraw the approval in the desk" in problem(answer, 409)
        assert code(answer) == "approved"
    template.refresh_from_db()
    assert is_approved(template)


def test_a_template_is_deleted_as_it_was_read(publication: Publication) -> None:
    make_mail_template(publication, approved=False)
    key = write_key()
    etag = call("get", PATH, key=key).headers["ETag"]
    call("put", f"{PATH}/texts/en", {**TEXTS, "subject": "Thanks"}, key=key)
    problem(call("delete", PATH, key=key, if_match=etag), 412)
    etag = call("get", PATH, key=key).headers["ETag"]
    assert call("delete", PATH, key=key, if_match=etag).status_code == 204
    assert not MailTemplate.objects.exists()
    problem(call("get", PATH, key=key), 404)


def test_a_template_that_mails_were_sent_from_is_not_deleted(publication: Publication) -> None:
    template = make_mail_template(publication)
    assert send_mail().status_code == 202
    withdraw_approval(template=template)
    answer = call("delete", PATH, key=write_key())
    assert "in the last 90 days" in problem(answer, 409)
    assert code(answer) == "in_use"
    assert not ModelLogEntry.objects.filter(action="newsletter.mail_template_deleted").exists()


@pytest.mark.parametrize("scope", ["mails:send", "issues:write"])
def test_a_key_that_sends_mails_or_drafts_issues_writes_no_template(publication: Publication, scope: str) -> None:
    make_mail_template(publication, approved=False)
    key = create_key(scope)
    assert call("get", PATH, key=key).status_code == (200 if scope == "mails:send" else 403)
    for method, path in (("delete", PATH), ("patch", PATH), ("put", f"{PATH}/texts/en"), ("post", "mail-templates")):
        assert code(call(method, path, {}, key=key)) == "scope_too_small"


def test_a_key_of_other_lists_does_not_see_a_template(publication: Publication) -> None:
    make_mail_template(publication, approved=False)
    key = write_key(lists=[make_list("board")])
    assert call("get", "mail-templates", key=key).json()["items"] == []
    problem(call("delete", PATH, key=key), 404)
    new = {"name": "Another", "publication": publication.slug}
    problem(call("post", "mail-templates", new, key=key), 404)


@pytest.mark.parametrize(
    ("language", "changed", "status"),
    [
        ("en", {"subject": " "}, 422),
        ("en", {"body": "{nobody}"}, 422),
        ("en", {"button_url": "javascript:alert(1)"}, 422),
        ("en", {"colour": "red"}, 422),
        ("xx", {}, 422),
    ],
)
def test_texts_that_cannot_be_used_are_refused(
    publication: Publication, language: str, changed: dict[str, str], status: int
) -> None:
    make_mail_template(publication, approved=False)
    before = call("get", PATH, key=create_key("mails:send")).json()
    problem(call("put", f"{PATH}/texts/{language}", {**TEXTS, **changed}, key=write_key()), status)
    assert call("get", PATH, key=create_key("mails:send", name="b")).json() == before


@pytest.mark.requirement("V3")
def test_a_protected_term_is_not_written_into_a_template(publication: Publication) -> None:
    make_mail_template(publication, approved=False)
    protect(SECRET)
    key = write_key()
    for answer in (
        call("put", f"{PATH}/texts/en", {**TEXTS, "reason": f"You know {SECRET}."}, key=key),
        call("patch", PATH, {"fields": {**FIELDS, "first_name": SECRET}}, key=key),
    ):
        assert MASKED in problem(answer, 422)
        assert SECRET not in answer.content.decode()


@pytest.mark.requirement("V3")
def test_a_value_that_makes_a_protected_term_is_refused(publication: Publication) -> None:
    make_mail_template(publication)
    protect(SECRET, "gift of £1 million")
    for once, values in (("1", {"first_name": SECRET}), ("2", {"amount": "£1 million"})):
        answer = send_mail(once, **values)
        assert "identifies nobody" in problem(answer, 422)
        assert code(answer) == "protected_term"
    assert not TemplateMail.objects.exists()


@pytest.mark.requirement("V3")
def test_nothing_is_accepted_from_a_template_with_a_protected_term(publication: Publication) -> None:
    make_mail_template(publication)
    protect("thank you for your gift")
    answer = send_mail()
    assert "protected term" in problem(answer, 409)
    assert code(answer) == "protected_term"
    shown = call("get", PATH, key=write_key()).json()
    assert (shown["approved"], "protected term" in shown["problem"]) == (True, True)


@pytest.mark.requirement("V3")
@pytest.mark.parametrize("where", ["values", "brand", "unreadable"])
def test_a_mail_is_searched_again_before_it_is_sent(
    publication: Publication, fake_provider: Any, settings: Any, where: str
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    publication.brand.postal_address = "House of Willows, 4 Hill Street"
    publication.brand.save()
    make_mail_template(publication)
    mail = send_mail(first_name="Marisol", amount="the Quintanilla prize").json()["id"]
    protect({"values": "Quintanilla prize", "brand": "House of Willows", "unreadable": SECRET}[where])
    if where == "unreadable":
        ProtectedTerm.objects.update(sealed="sealed with a lost key")
    try:
        assert send_due_mails(now=timezone.now()) == 0
    finally:
        current_adapter().close()
    row = TemplateMail.objects.get(pk=mail)
    assert (row.state, row.email, row.values) == ("failed", "", {})
    assert "protected term" in str(row.reason)
    assert fake_provider.mailbox("ada@example.org") == []
