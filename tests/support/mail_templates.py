"""A mail template for tests, with its texts in English, approved or not."""

from django.contrib.auth.models import User

from newsletter.models import MailTemplate, Publication
from newsletter.sending.notices.mail_templates import approve_template, make_template, save_fields, save_text
from newsletter.sending.notices.template_texts import hash_template
from tests.support.fixtures import NOW, make_approver

TEXTS = {
    "subject": "Thank you, {first_name}",
    "preheader": "Your gift of {amount} has arrived.",
    "body": "Dear {first_name},\n\nthank you for your gift of {amount}.",
    "button_label": "See what it does",
    "button_url": "https://example.org/gifts/?for={first_name}",
    "reason": "You get this email because you gave to us.",
}
FIELDS = {"first_name": "Ada", "amount": "£25"}


def make_mail_template(publication: Publication, *, name: str = "Thank you", approved: bool = True) -> MailTemplate:
    by = User.objects.create(username=f"writer of {name}")
    template = make_template(name=name, publication=publication, by=by, now=NOW)
    save_fields(template=template, publication=publication, fields=FIELDS, by=by, now=NOW)
    save_text(template=template, language=publication.language, texts=TEXTS, by=by, now=NOW)
    if approved:
        approve_template(template=template, sha256=hash_template(template), by=make_approver(), now=NOW)
    return template
