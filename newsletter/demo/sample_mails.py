"""A sample template of a single mail: thanks for a gift, in two languages, approved and ready for other systems."""

from datetime import datetime

from django.contrib.auth.models import User

from newsletter.models import MailTemplate, Publication
from newsletter.sending.notices.mail_templates import approve_template, make_template, save_fields, save_text
from newsletter.sending.notices.template_texts import hash_template

FIELDS = {"first_name": "Ada", "amount": "£25"}
TEXTS = {
    "en": {
        "subject": "Thank you for your gift, {first_name}",
        "preheader": "Your gift of {amount} has arrived.",
        "body": "Dear {first_name},\n\nthank you for your gift of {amount}. It keeps the clinic open for one evening.",
        "button_label": "See what gifts do",
        "button_url": "https://example.org/gifts/",
        "reason": "You get this email because you gave to us. It is no newsletter.",
    },
    "es": {
        "subject": "Gracias por tu donación, {first_name}",
        "preheader": "Hemos recibido tu donación de {amount}.",
        "body": "Hola, {first_name}:\n\ngracias por tu donación de {amount}. Mantiene abierta la clínica una noche.",
        "button_label": "Mira qué hacen las donaciones",
        "button_url": "https://example.org/gifts/",
        "reason": "Recibes este correo porque has hecho una donación. No es un boletín.",
    },
}


def add_thanks_template(*, publication: Publication, by: User, now: datetime) -> MailTemplate:
    """Return the approved template."""
    template = make_template(name="Thank you for your gift", publication=publication, by=by, now=now)
    save_fields(template=template, publication=publication, fields=FIELDS, by=by, now=now)
    for language, texts in TEXTS.items():
        save_text(template=template, language=language, texts=texts, by=by, now=now)
    approve_template(template=template, sha256=hash_template(template), by=by, now=now)
    return template
