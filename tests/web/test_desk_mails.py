"""The desk's pages of single mails: write a template, look at it, approve it; an edit ends the approval."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.api_keys import make_key
from newsletter.demo.sample_week import add_thanks_template
from newsletter.models import MailTemplate, ProtectedTerm, Publication, TemplateMail
from newsletter.sending.notices.template_texts import is_approved
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import make_approver, make_publication
from tests.support.mail_templates import TEXTS, make_mail_template
from tests.support.protected_terms import MASKED, SECRET, protect

pytestmark = pytest.mark.django_db
ALL = reverse("newsletter_mails")


@pytest.fixture(name="publication")
def _publication() -> Publication:
    return make_publication()


def page_of(template: MailTemplate, language: str = "") -> str:
    return reverse("newsletter_mail_template", args=[template.pk]) + (f"?language={language}" if language else "")


def press(client: Client, template: MailTemplate, step: str, language: str = "", **fields: object) -> str:
    """Press a button of the page, and return the last message."""
    answer = client.post(page_of(template, language), {"step": step, **fields})
    assert answer.status_code == 302, answer.content.decode()
    return list_messages(client.get(answer["Location"]))[-1]


def approve(client: Client, template: MailTemplate) -> str:
    sha256 = client.get(page_of(template)).context["sha256"]
    return press(client, template, "approve", sha256=sha256)


def test_a_template_cannot_be_made_before_there_is_a_publication() -> None:
    client = sign_in("writer")
    shown = client.get(ALL).content.decode()
    assert "Add a publication first." in shown
    assert "Add template" not in shown
    make_publication()
    assert "Add template" in client.get(ALL).content.decode()


def test_a_writer_makes_a_template_and_an_approver_approves_it(publication: Publication) -> None:
    writer = sign_in("writer")
    answer = writer.post(ALL, {"name": "Thank you for your gift", "publication": publication.pk})
    template = MailTemplate.objects.get(slug="thank-you-for-your-gift")
    assert answer["Location"] == page_of(template)
    fields = {"publication": publication.pk, "fields_text": "first_name = Ada\namount = £25"}
    assert "Saved" in press(writer, template, "fields", **fields)
    assert "Saved" in press(writer, template, "text", **TEXTS)
    shown = writer.get(page_of(template)).content.decode()
    assert "Nothing is sent from it until an approver approves it." in shown
    assert "Approve this version" not in shown
    assert "Subject: Thank you, Ada" in shown
    preview = writer.get(reverse("newsletter_mail_template_preview", args=[template.pk, publication.language]))
    assert "thank you for your gift of £25" in preview.content.decode()
    assert "script-src" not in preview["Content-Security-Policy"]
    assert "Approved" in approve(sign_in("approver"), template)
    template.refresh_from_db()
    assert is_approved(template)


def test_the_list_shows_a_template_that_was_made_after_it_was_opened(publication: Publication) -> None:
    writer = sign_in("writer")
    assert "There are no mail templates yet." in writer.get(ALL).content.decode()
    make_mail_template(publication, name="A place at an event")
    assert "A place at an event" in writer.get(ALL).content.decode()


def test_an_edit_ends_the_approval(publication: Publication) -> None:
    template = make_mail_template(publication)
    writer = sign_in("writer")
    assert "A change ends the approval." in writer.get(page_of(template)).content.decode()
    press(writer, template, "text", **{**TEXTS, "subject": "Something else"})
    assert "changed since it was approved" in writer.get(page_of(template)).content.decode()
    assert "Waiting for approval" in writer.get(ALL).content.decode()


def test_a_change_since_the_page_was_opened_is_not_approved(publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    approver = sign_in("approver")
    old = approver.get(page_of(template)).context["sha256"]
    press(sign_in("writer"), template, "text", "es", **TEXTS)
    assert "changed since you opened the page" in press(approver, template, "approve", sha256=old)


def test_a_writer_cannot_approve(publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    assert "may not approve" in approve(sign_in("writer"), template)


def test_a_template_without_texts_in_the_main_language_waits(publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    press(sign_in("writer"), template, "remove", publication.language)
    assert "sender’s language first" in approve(sign_in("approver"), template)


def test_an_approval_is_withdrawn_on_the_page(publication: Publication) -> None:
    template = make_mail_template(publication)
    assert "withdrawn" in press(sign_in("approver"), template, "withdraw")
    template.refresh_from_db()
    assert not is_approved(template)


@pytest.mark.parametrize(
    ("step", "fields", "wrong"),
    [
        ("fields", {"fields_text": "first_name"}, "name = sample"),
        ("fields", {"fields_text": "a = 1\na = 2"}, "there twice"),
        ("fields", {"fields_text": "First = Ada"}, "no name of a field"),
        ("fields", {"fields_text": "amount = £25"}, "{first_name}"),
        ("text", {**TEXTS, "body": "{nobody}"}, "{nobody}"),
        ("text", {**TEXTS, "subject": ""}, "This field is required"),
    ],
)
def test_a_mistake_is_shown_on_the_page_with_what_was_typed(
    publication: Publication, step: str, fields: dict[str, str], wrong: str
) -> None:
    template = make_mail_template(publication)
    given = {"step": step, "publication": publication.pk, **fields}
    answer = sign_in("writer").post(page_of(template, "en"), given)
    assert answer.status_code == 400
    assert wrong in answer.content.decode()
    template.refresh_from_db()
    assert is_approved(template)


@pytest.mark.requirement("V3")
@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("text", {**TEXTS, "body": f"{SECRET} writes to you."}),
        ("text", {**TEXTS, "button_url": "https://example.org/Marisol-Quintanilla/"}),
        ("fields", {"fields_text": f"first_name = {SECRET}\namount = £25"}),
    ],
)
def test_a_protected_term_is_not_saved_in_a_template(
    publication: Publication, step: str, fields: dict[str, str]
) -> None:
    template = make_mail_template(publication)
    protect(SECRET)
    answer = sign_in("writer").post(page_of(template), {"step": step, "publication": publication.pk, **fields})
    assert answer.status_code == 400
    assert f"protected term ({MASKED})" in answer.content.decode()
    template.refresh_from_db()
    assert is_approved(template)


def test_a_template_with_a_protected_term_is_not_approved(publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    sender = sign_in("writer")
    press(sender, template, "text", **{**TEXTS, "body": "Ask for Marisol {first_name} at the door."})
    press(sender, template, "fields", publication=publication.pk, fields_text="first_name = Quintanilla\namount = £25")
    protect(SECRET)
    assert f"protected term ({MASKED})" in approve(sign_in("approver"), template)
    template.refresh_from_db()
    assert not is_approved(template)


def test_a_term_that_is_protected_later_is_shown_at_the_template(publication: Publication) -> None:
    template = make_mail_template(publication)
    protect("gift of £25")
    page = sign_in("writer").get(page_of(template)).content.decode()
    assert "Nothing is sent from this template." in page
    assert "Contains a protected term" in sign_in("writer").get(ALL).content.decode()


def test_nothing_is_approved_while_terms_cannot_be_read(publication: Publication) -> None:
    template = make_mail_template(publication, approved=False)
    ProtectedTerm.objects.filter(pk=protect(SECRET)[0].pk).update(sealed="sealed with a lost key")
    assert "Put the old secret key back" in approve(sign_in("approver"), template)


def test_a_template_is_deleted_until_mails_were_sent_from_it(publication: Publication) -> None:
    template, used = make_mail_template(publication), make_mail_template(publication, name="A place", approved=False)
    writer = sign_in("writer")
    assert "Delete template" in writer.get(page_of(template)).content.decode()
    answer = writer.post(page_of(template), {"step": "delete"})
    assert (answer["Location"], list_messages(writer.get(ALL))[-1]) == (ALL, "“Thank you” is deleted.")
    assert not MailTemplate.objects.filter(pk=template.pk).exists()
    add_mail(used)
    assert "Delete template" not in writer.get(page_of(used)).content.decode()
    assert "Withdraw its approval" in press(writer, used, "delete")
    assert MailTemplate.objects.get() == used


def add_mail(template: MailTemplate) -> TemplateMail:
    return TemplateMail.objects.create(
        template=template,
        api_key=make_key(name="Donor database", scope="mails:send", by="kim", now=timezone.now())[0],
        email="ada@example.org",
        address_hash=b"1" * 32,
        values={"amount": "£25"},
        asked_at=timezone.now(),
    )


def test_two_templates_do_not_share_a_name(publication: Publication) -> None:
    make_mail_template(publication)
    answer = sign_in("writer").post(ALL, {"name": "Thank you!", "publication": publication.pk})
    assert (answer.status_code, "with this name already" in answer.content.decode()) == (400, True)


def test_the_page_lists_mails_with_their_states_and_no_address(publication: Publication) -> None:
    add_mail(make_mail_template(publication))
    shown = sign_in("writer").get(ALL).content.decode()
    assert "Donor database" in shown
    assert "Waiting" in shown
    assert "ada@example.org" not in shown


def test_the_sample_template_is_approved_in_two_languages(publication: Publication) -> None:
    publication.brand.donate_url = "https://example.org/give/"
    template = add_thanks_template(publication=publication, by=make_approver(), now=timezone.now())
    assert is_approved(template)
    assert [text.language for text in template.texts.all()] == ["en", "es"]
    page = sign_in("writer").get(page_of(template, "es")).content.decode()
    assert "Gracias por tu donación, {first_name}" in page
