"""Builds what one batch hands to the provider: the variant's mail and each person's values. Same batch, same bytes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import NamedTuple

from django.conf import settings

from newsletter.common.errors import InvariantViolated
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.publication import PublicationRecord
from newsletter.models import Batch, Variant
from newsletter.providers.base.contract import BatchCall, Mail, Person
from newsletter.rendering.mail import hash_mail
from newsletter.rendering.tokens import Variable
from newsletter.rendering.values import Values, plan_values
from newsletter.sending.dispatching.recipients import Recipient
from newsletter.sending.settling.render_failures import RENDER_ERRORS, describe_render_failure
from subscribers.links.signed_links import Purpose, Signer, link_keys
from subscribers.models import Place
from subscribers.places.regions import region_label

LINKS = frozenset({"unsubscribe", "preferences"})


class CityAndRegion(NamedTuple):
    city: str
    region: str


class PreparedVariant(NamedTuple):
    """One variant, read once and found to be the bytes that were rendered: what all its batches hand over."""

    mail: Mail
    values: Values
    fields: frozenset[str]
    key: str
    label: str
    list_id: bytes
    language: str


class LocationNames(dict[tuple[int | None, str], CityAndRegion]):
    """Where recipients are, in the language of a mail, read once each. A place's row never changes: another town is another."""

    def __missing__(self, place_and_language: tuple[int | None, str]) -> CityAndRegion:
        place_id, language = place_and_language
        place = Place.objects.filter(pk=place_id).first() if place_id else None
        region = region_label(place.region, language=language) if place and place.region else ""
        found = self[place_and_language] = CityAndRegion(place.town if place else "", region)
        return found


class VariantCache:
    """The letters of the sends under way, so that their bytes are read and checked once and not for every batch."""

    def __init__(self, *, max_size: int = 256) -> None:
        self.places = LocationNames()
        self._max_size = max_size
        self._prepared: dict[int, PreparedVariant] = {}

    def prepared(self, variant_id: int) -> PreparedVariant:
        """Raises InvariantViolated where the variant's bytes are not those that were rendered and approved."""
        prepared = self._prepared.get(variant_id)
        if prepared is None:
            if len(self._prepared) >= self._max_size:
                self._prepared.clear()
            prepared = self._prepared[variant_id] = prepare_variant(
                Variant.objects.select_related("revision", "issue__publication").get(pk=variant_id)
            )
        return prepared


def build_call(
    *, batch: Batch, recipients: Sequence[Recipient], prepared: PreparedVariant, places: LocationNames
) -> BatchCall:
    """The call for these people of a batch."""
    send = batch.send
    fields = plan_fields(prepared, signer=make_link_signer(send.made_at, send.pk), places=places)
    values = prepared.values(fields(recipients))
    return BatchCall(
        key=batch.key,
        issue=send.issue.public_id,
        variant=prepared.key,
        label=prepared.label,
        mail=prepared.mail,
        people=[Person(reader.delivery, reader.email, own) for reader, own in zip(recipients, values, strict=True)],
    )


def build_for_each(
    *, batch: Batch, recipients: Sequence[Recipient], prepared: PreparedVariant, places: LocationNames
) -> tuple[BatchCall | None, dict[int, str]]:
    """The same, one by one: the call for those whose mail can be made, and why it cannot for each of the others (F16)."""
    calls, failures = [], {}
    for reader in recipients:
        try:
            calls.append(build_call(batch=batch, recipients=[reader], prepared=prepared, places=places))
        except RENDER_ERRORS as error:
            failures[reader.delivery] = describe_render_failure(error)
    if not calls:
        return None, failures
    return replace(calls[0], people=[person for call in calls for person in call.people]), failures


def prepare_variant(variant: Variant) -> PreparedVariant:
    publication = IssueContent.from_json(variant.revision.content).publication
    variables = read_variables(variant)
    return PreparedVariant(
        mail=make_mail(variant=variant, publication=publication),
        values=plan_values(variables, plain=_plain_links()),
        fields=frozenset(variable.field for variable in variables),
        key=variant.key,
        label=variant.label,
        list_id=bytes.fromhex(publication.list_id),
        language=variant.language,
    )


def make_mail(*, variant: Variant, publication: PublicationRecord) -> Mail:
    """The variant as mail of its publication, with the headers that every newsletter carries."""
    return Mail(
        subject=variant.subject,
        html=variant.html,
        text=variant.text,
        from_name=publication.from_name,
        from_email=publication.from_email,
        reply_to=publication.reply_to,
        headers=build_headers(publication),
    )


def build_headers(publication: PublicationRecord) -> dict[str, str]:
    """List-Id and the one-click pair. The list is named by an id that never changes and betrays nothing."""
    domain = publication.from_email.rpartition("@")[2]
    return {
        "List-Id": f"<{publication.list_id}.{domain}>",
        "List-Unsubscribe": "<__pv_t_unsubscribe__>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def plan_fields(
    prepared: PreparedVariant, *, signer: Signer, places: LocationNames
) -> Callable[[Sequence[Recipient]], dict[str, list[str]]]:
    """Of the closed list of fields that a mail may hold of a person, those it does hold; the links are the person's own.

    The plan gives each field's values in the order of the recipients.
    """
    unsubscribe = signer.maker(Purpose.UNSUBSCRIBE, prepared.list_id)
    preferences = signer.maker(Purpose.PREFERENCES, prepared.list_id)
    language = prepared.language
    every: dict[str, Callable[[Sequence[Recipient]], list[str]]] = {
        "name": lambda recipients: [reader.name for reader in recipients],
        "first_name": lambda recipients: [_find_first_word(reader.name) for reader in recipients],
        "city": lambda recipients: [places[reader.place, language].city for reader in recipients],
        "region": lambda recipients: [places[reader.place, language].region for reader in recipients],
        "unsubscribe": lambda recipients: unsubscribe([reader.uuid for reader in recipients]),
        "preferences": lambda recipients: preferences([reader.uuid for reader in recipients]),
        "reader": lambda recipients: [""] * len(recipients),
    }
    wanted = [(name, every[name]) for name in sorted(prepared.fields)]
    return lambda recipients: {name: field(recipients) for name, field in wanted}


def _find_first_word(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.strip() else ""


def read_variables(variant: Variant) -> tuple[Variable, ...]:
    """The variant's variables, after making sure that its bytes are the ones that were rendered and approved."""
    variables = tuple(Variable(**data) for data in variant.variables)
    if hash_mail(subject=variant.subject, html=variant.html, text=variant.text, variables=variables) != variant.sha256:
        raise InvariantViolated(
            "Variant %(key)s of %(issue)s is not what was rendered. Nothing of it is sent.",
            key=variant.key,
            issue=variant.issue,
        )
    return variables


def _plain_links() -> frozenset[str]:
    """Our own links hold nothing to escape, unless the site's address does."""
    return LINKS if escape(settings.NEWSLETTER_SITE_URL) == settings.NEWSLETTER_SITE_URL else frozenset()


@lru_cache(maxsize=16)
def make_link_signer(made_at: datetime, send_id: int) -> Signer:
    """The maker of links of one send. Its moment and number are the same for all, so the same batch gives the same bytes."""
    return Signer(link_keys(), site_url=settings.NEWSLETTER_SITE_URL, issued=made_at, mailing=send_id)
