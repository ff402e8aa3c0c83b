"""Build the call of a batch to the provider: the mail of its variant, and the values of each recipient.

The same batch always gives the same bytes, so a repeat can carry the same idempotency key.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import NamedTuple

from django.conf import settings

from newsletter.common.errors import InvariantViolated
from newsletter.common.messages import Message
from newsletter.common.personal_tokens import format_token
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Batch, Variant
from newsletter.providers.base.contract import BatchCall, Mail, Recipient
from newsletter.rendering.errors import MissingValueError
from newsletter.rendering.mail import hash_mail
from newsletter.rendering.personal_values import Values, plan_values
from newsletter.rendering.tokens import Variable
from subscribers.links.signed_links import Purpose, Signer, link_keys
from subscribers.links.unsubscribe_addresses import make_addresses
from subscribers.models import SubscriberLocation
from subscribers.places.regions import region_label
from subscribers.places.town_names import town_label

LINKS = frozenset({"unsubscribe", "preferences"})
ADDRESS_FIELD = "unsubscribe_address"
"""The field of each person's signed address to unsubscribe by mail."""
_ADDRESS = Variable(token=f"t_{ADDRESS_FIELD}", field=ADDRESS_FIELD, default="", context="t")
_BAD_VALUE_ERRORS = (ValueError, LookupError, TypeError, AttributeError)
RENDER_ERRORS = (MissingValueError, *_BAD_VALUE_ERRORS)
"""The errors of building a call if a value of a recipient is missing or malformed."""
_MIN_SENDER_LENGTH, _MAX_SENDER_LENGTH, _SENDER_FILLER = 5, 15, "sender"


class RecipientRow(NamedTuple):
    """One person to mail, as the database has them. ``uuid`` is the 16 bytes of their links; ``place`` is a row id."""

    delivery: int
    uuid: bytes
    email: str
    name: str
    place: int | None


class CityAndRegion(NamedTuple):
    city: str
    region: str


class PreparedVariant(NamedTuple):
    """One variant, checked against its hash, with everything that is the same for all its batches."""

    mail: Mail
    values: Values
    fields: frozenset[str]
    key: str
    label: str
    list_id: bytes
    language: str


class LocationNames(dict[tuple[int | None, str], CityAndRegion]):
    """City and region by place id and language, read once each. Rows of places never change."""

    def __missing__(self, place_and_language: tuple[int | None, str]) -> CityAndRegion:
        place_id, language = place_and_language
        place = SubscriberLocation.objects.filter(pk=place_id).first() if place_id else None
        city = town_label(place.town, country=place.country, language=language) if place else ""
        region = region_label(place.region, language=language) if place and place.region else ""
        names = self[place_and_language] = CityAndRegion(city, region)
        return names


class VariantCache:
    """The prepared variants of running sends, so that each is read and checked once and not for every batch."""

    def __init__(self, *, max_size: int = 256) -> None:
        self.places = LocationNames()
        self._max_size = max_size
        self._prepared: dict[int, PreparedVariant] = {}

    def prepared(self, variant_id: int) -> PreparedVariant:
        """Return the variant. Raise InvariantViolated if its bytes are not those that were approved."""
        prepared = self._prepared.get(variant_id)
        if prepared is None:
            if len(self._prepared) >= self._max_size:
                self._prepared.clear()
            prepared = self._prepared[variant_id] = prepare_variant(
                Variant.objects.select_related("revision", "issue__publication").get(pk=variant_id)
            )
        return prepared


def build_call(
    *, batch: Batch, recipients: Sequence[RecipientRow], prepared: PreparedVariant, places: LocationNames
) -> BatchCall:
    """Build the call for these recipients of a batch. Raise one of RENDER_ERRORS if a value cannot be used."""
    send = batch.send
    signer = make_link_signer(send.made_at, send.pk)
    read_fields = plan_fields(prepared, signer=signer, mailing=send.pk, places=places)
    values = prepared.values(read_fields(recipients))
    return BatchCall(
        key=batch.key,
        issue=send.issue.public_id,
        mailing=send.issue.public_id,
        variant=prepared.key,
        label=prepared.label,
        mail=prepared.mail,
        people=[
            Recipient(recipient.delivery, recipient.email, variables)
            for recipient, variables in zip(recipients, values, strict=True)
        ],
    )


def build_for_each(
    *, batch: Batch, recipients: Sequence[RecipientRow], prepared: PreparedVariant, places: LocationNames
) -> tuple[BatchCall | None, dict[int, Message]]:
    """Build the call person by person. Return it and, by delivery id, why the mail of some could not be made."""
    calls: list[BatchCall] = []
    failures: dict[int, Message] = {}
    for recipient in recipients:
        try:
            calls.append(build_call(batch=batch, recipients=[recipient], prepared=prepared, places=places))
        except RENDER_ERRORS as error:
            failures[recipient.delivery] = describe_render_failure(error)
    if not calls:
        return None, failures
    return replace(calls[0], people=[person for call in calls for person in call.people]), failures


def describe_render_failure(error: Exception) -> Message:
    """Return the reason to store. Only our own errors are quoted: others may contain a personal value."""
    cause = type(error).__name__ if isinstance(error, _BAD_VALUE_ERRORS) else error
    return Message("the mail could not be made for this person: %(cause)s", cause=cause)


def prepare_variant(variant: Variant) -> PreparedVariant:
    content = IssueContent.from_json(variant.revision.content)
    variables = read_variables(variant)
    return PreparedVariant(
        mail=make_mail(variant=variant, content=content),
        values=plan_variant_values(variables),
        fields=frozenset(variable.field for variable in variables),
        key=variant.key,
        label=variant.label,
        list_id=bytes.fromhex(content.publication.list_id),
        language=variant.language,
    )


def make_mail(*, variant: Variant, content: IssueContent) -> Mail:
    """Return the variant as a mail of its publication, with the headers of every newsletter."""
    publication = content.publication
    return Mail(
        subject=variant.subject,
        html=variant.html,
        text=variant.text,
        from_name=publication.from_name,
        from_email=publication.from_email,
        reply_to=find_reply_address(content),
        headers=build_headers(content),
    )


def find_reply_address(content: IssueContent) -> str:
    """Return the address for replies: with inbound mail, ours with the id of the issue, else the publication's own."""
    local, _, domain = settings.NEWSLETTER_INBOUND_ADDRESS.rpartition("@")
    return f"{local}+i{content.issue.public_id}@{domain}" if local else content.publication.reply_to


def list_header_variables() -> tuple[Variable, ...]:
    """Return the personal values that only headers use. The approval does not cover them."""
    return (_ADDRESS,) if settings.NEWSLETTER_INBOUND_ADDRESS else ()


def build_headers(content: IssueContent) -> dict[str, str]:
    """Return Feedback-ID, List-Id, the one-click pair and X-Entity-Ref-ID. The id of the list never changes and reveals nothing.

    Gmail shows issues with the same subject as one conversation unless their X-Entity-Ref-ID differs.
    With inbound mail, List-Unsubscribe has a signed address too, for programs that unsubscribe by mail only.
    """
    publication = content.publication
    domain = publication.from_email.rpartition("@")[2]
    address = f", <mailto:{format_token(_ADDRESS.token)}?subject=unsubscribe>" if list_header_variables() else ""
    return {
        "Feedback-ID": make_feedback_id(content),
        "List-Id": f"<{publication.list_id}.{domain}>",
        "List-Unsubscribe": f"<__pv_t_unsubscribe__>{address}",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Entity-Ref-ID": content.issue.public_id,
    }


def plan_fields(
    prepared: PreparedVariant, *, signer: Signer, mailing: int, places: LocationNames
) -> Callable[[Sequence[RecipientRow]], dict[str, list[str]]]:
    """Return a function that returns the recipients' values, in their order, for each field that the mail uses.

    A mail may use only the fields listed here. The links are made for each recipient.
    """
    unsubscribe = signer.maker(Purpose.UNSUBSCRIBE, prepared.list_id)
    preferences = signer.maker(Purpose.PREFERENCES, prepared.list_id)
    addresses = make_addresses(
        link_keys()[0],
        inbound_address=settings.NEWSLETTER_INBOUND_ADDRESS,
        mailing_list=prepared.list_id,
        mailing=mailing,
    )
    language = prepared.language
    readers: dict[str, Callable[[Sequence[RecipientRow]], list[str]]] = {
        "name": lambda recipients: [recipient.name for recipient in recipients],
        "first_name": lambda recipients: [_find_first_word(recipient.name) for recipient in recipients],
        "city": lambda recipients: [places[recipient.place, language].city for recipient in recipients],
        "region": lambda recipients: [places[recipient.place, language].region for recipient in recipients],
        "unsubscribe": lambda recipients: unsubscribe([recipient.uuid for recipient in recipients]),
        "preferences": lambda recipients: preferences([recipient.uuid for recipient in recipients]),
        ADDRESS_FIELD: lambda recipients: addresses([recipient.uuid for recipient in recipients]),
    }
    used = [(name, readers[name]) for name in sorted(prepared.fields)]
    return lambda recipients: {name: read(recipients) for name, read in used}


def read_variables(variant: Variant) -> tuple[Variable, ...]:
    """Return the variant's variables and those of its headers.

    Raise InvariantViolated if the variant's bytes are not those that were approved.
    """
    variables = tuple(Variable(**data) for data in variant.variables)
    if hash_mail(subject=variant.subject, html=variant.html, text=variant.text, variables=variables) != variant.sha256:
        raise InvariantViolated(
            "Variant %(key)s of %(issue)s was changed after it was approved. Nothing of it is sent. This is a defect: "
            "report it.",
            key=variant.key,
            issue=variant.issue,
        )
    return (*variables, *list_header_variables())


def plan_variant_values(variables: tuple[Variable, ...]) -> Values:
    """Return the function that makes each person's values for a variant with these variables."""
    return plan_values(variables, plain=_find_plain_links())


def make_link_signer(made_at: datetime, send_id: int) -> Signer:
    """Return the signer of one send's links. Its time and number are fixed, so a batch always gives the same bytes."""
    return _make_signer(settings.NEWSLETTER_SITE_URL, made_at, send_id)


@lru_cache(maxsize=16)
def _make_signer(site_url: str, made_at: datetime, send_id: int) -> Signer:
    return Signer(link_keys(), site_url=site_url, issued=made_at, mailing=send_id)


def _find_first_word(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.strip() else ""


def _find_plain_links() -> frozenset[str]:
    """Return the link fields that need no escaping: all, unless the site's address has a special character."""
    return LINKS if escape(settings.NEWSLETTER_SITE_URL) == settings.NEWSLETTER_SITE_URL else frozenset()


def make_feedback_id(content: IssueContent) -> str:
    """Return ``issue:publication:kind:sender``, by which Gmail's Postmaster Tools show the share of spam reports.

    Source: support.google.com/mail/answer/6254652. The sender is always the same, 5 to 15 characters long. No value is in two
    fields, and none is about a person.
    """
    issue, publication = content.issue, content.publication
    sender = make_sender_id(publication.from_email)
    slug = re.sub(r"[^A-Za-z0-9_-]", "-", publication.slug)
    if slug in (issue.kind, sender, issue.public_id):
        slug += "-publication"
    return f"{issue.public_id}:{slug}:{issue.kind}:{sender}"


def make_sender_id(from_email: str) -> str:
    """Return the letters and digits of the sender's domain, such as ``newsexampleorg``, at most 15 and at least 5."""
    letters = re.sub(r"[^a-z0-9]", "", from_email.rpartition("@")[2].lower())[:_MAX_SENDER_LENGTH]
    return letters if len(letters) >= _MIN_SENDER_LENGTH else f"{letters}{_SENDER_FILLER}"
