"""For providers that take complete mails: each person's subject, parts and headers with the values put in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.providers.base.attempt import PreparedBatch
from newsletter.providers.base.tokens import CompiledText, clean_value


@dataclass(frozen=True)
class PersonalMail:
    """One person's whole mail. ``address`` is in ASCII form."""

    delivery: int
    address: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]


def merge_personal_mails(prepared: PreparedBatch) -> Iterator[PersonalMail]:
    """Give everybody's mail in the batch's order."""
    mail = prepared.call.mail
    subject, html, text = CompiledText(mail.subject), CompiledText(mail.html), CompiledText(mail.text)
    headers = {name: CompiledText(value) for name, value in prepared.headers.items()}
    for address, person in prepared.people:
        values = {name: clean_value(name, person.variables[name]) for name in prepared.needed}
        yield PersonalMail(
            delivery=person.delivery,
            address=address,
            subject=subject.fill(values),
            html=html.fill(values),
            text=text.fill(values),
            headers={name: compiled.fill(values) for name, compiled in headers.items()},
        )
