"""Builds what one batch hands to the provider: the variant's mail and each person's values. Same batch, same bytes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

from django.conf import settings

from newsletter.common.errors import Broken
from newsletter.models import Batch, Variant
from newsletter.providers.base.contract import BatchCall, Mail, Person
from newsletter.rendering.mail import hash_mail
from newsletter.rendering.tokens import Variable
from newsletter.rendering.values import Values, plan_values
from newsletter.sending.dispatching.recipients import Reader
from newsletter.sending.settling.unrenderable import UNMAKEABLE, say_unmade
from subscribers.links.signed_links import Purpose, Signer, link_keys
from subscribers.models import Place
from subscribers.places.regions import say_region

LINKS = frozenset({"unsubscribe", "preferences"})


class Whereabouts(NamedTuple):
    city: str
    region: str


class Letter(NamedTuple):
    """One variant, read once and found to be the bytes that were rendered: what all its batches hand over."""

    mail: Mail
    values: Values
    fields: frozenset[str]
    key: str
    label: str
    list_id: bytes
    language: str


class Places(dict[tuple[int | None, str], Whereabouts]):
    """Where readers are, in the language of a mail, read once each. A place's row never changes: another town is another."""

    def __missing__(self, place_and_language: tuple[int | None, str]) -> Whereabouts:
        place_id, language = place_and_language
        place = Place.objects.filter(pk=place_id).first() if place_id else None
        region = say_region(place.region, language=language) if place and place.region else ""
        found = self[place_and_language] = Whereabouts(place.town if place else "", region)
        return found


class Shelf:
    """The letters of the sends under way, so that their bytes are read and checked once and not for every batch."""

    def __init__(self, *, most: int = 256) -> None:
        self.places = Places()
        self._most = most
        self._letters: dict[int, Letter] = {}

    def letter(self, variant_id: int) -> Letter:
        """Raises Broken where the variant's bytes are not those that were rendered and approved."""
        letter = self._letters.get(variant_id)
        if letter is None:
            if len(self._letters) >= self._most:
                self._letters.clear()
            letter = self._letters[variant_id] = read_letter(
                Variant.objects.select_related("revision", "issue__publication").get(pk=variant_id)
            )
        return letter


def build_call(*, batch: Batch, readers: Sequence[Reader], letter: Letter, places: Places) -> BatchCall:
    """The call for these people of a batch."""
    send = batch.send
    fields = plan_fields(letter, signer=signer_of(send.made_at, send.pk), places=places)
    values = letter.values(fields(readers))
    return BatchCall(
        key=batch.key,
        issue=send.issue.public_id,
        variant=letter.key,
        label=letter.label,
        mail=letter.mail,
        people=[Person(reader.delivery, reader.email, own) for reader, own in zip(readers, values, strict=True)],
    )


def build_for_each(
    *, batch: Batch, readers: Sequence[Reader], letter: Letter, places: Places
) -> tuple[BatchCall | None, dict[int, str]]:
    """The same, one by one: the call for those whose mail can be made, and why it cannot for each of the others (F16)."""
    calls, unmade = [], {}
    for reader in readers:
        try:
            calls.append(build_call(batch=batch, readers=[reader], letter=letter, places=places))
        except UNMAKEABLE as error:
            unmade[reader.delivery] = say_unmade(error)
    if not calls:
        return None, unmade
    return replace(calls[0], people=[person for call in calls for person in call.people]), unmade


def read_letter(variant: Variant) -> Letter:
    content = variant.revision.content["publication"]
    variables = read_variables(variant)
    return Letter(
        mail=make_mail(variant=variant, publication=content),
        values=plan_values(variables, plain=_plain_links()),
        fields=frozenset(variable.field for variable in variables),
        key=variant.key,
        label=variant.label,
        list_id=bytes.fromhex(content["list_id"]),
        language=variant.language,
    )


def make_mail(*, variant: Variant, publication: Mapping[str, Any]) -> Mail:
    """The variant as mail of its publication, with the headers that every newsletter carries."""
    return Mail(
        subject=variant.subject,
        html=variant.html,
        text=variant.text,
        from_name=publication["from_name"],
        from_email=publication["from_email"],
        reply_to=publication["reply_to"],
        headers=list_headers(publication),
    )


def list_headers(publication: Mapping[str, Any]) -> dict[str, str]:
    """List-Id and the one-click pair. The list is named by an id that never changes and betrays nothing."""
    domain = publication["from_email"].rpartition("@")[2]
    return {
        "List-Id": f"<{publication['list_id']}.{domain}>",
        "List-Unsubscribe": "<__pv_t_unsubscribe__>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def plan_fields(
    letter: Letter, *, signer: Signer, places: Places
) -> Callable[[Sequence[Reader]], dict[str, list[str]]]:
    """Of the closed list of fields that a mail may hold of a person, those it does hold; the links are the person's own.

    The plan gives each field's values in the order of the readers.
    """
    unsubscribe = signer.maker(Purpose.UNSUBSCRIBE, letter.list_id)
    preferences = signer.maker(Purpose.PREFERENCES, letter.list_id)
    language = letter.language
    every: dict[str, Callable[[Sequence[Reader]], list[str]]] = {
        "name": lambda readers: [reader.name for reader in readers],
        "first_name": lambda readers: [_first_word(reader.name) for reader in readers],
        "city": lambda readers: [places[reader.place, language].city for reader in readers],
        "region": lambda readers: [places[reader.place, language].region for reader in readers],
        "unsubscribe": lambda readers: unsubscribe([reader.uuid for reader in readers]),
        "preferences": lambda readers: preferences([reader.uuid for reader in readers]),
        "reader": lambda readers: [""] * len(readers),
    }
    wanted = [(name, every[name]) for name in sorted(letter.fields)]
    return lambda readers: {name: field(readers) for name, field in wanted}


def _first_word(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.strip() else ""


def read_variables(variant: Variant) -> tuple[Variable, ...]:
    """The variant's variables, after making sure that its bytes are the ones that were rendered and approved."""
    variables = tuple(Variable(**data) for data in variant.variables)
    if hash_mail(subject=variant.subject, html=variant.html, text=variant.text, variables=variables) != variant.sha256:
        raise Broken(
            "Variant %(key)s of %(issue)s is not what was rendered. Nothing of it is sent.",
            key=variant.key,
            issue=variant.issue,
        )
    return variables


def _plain_links() -> frozenset[str]:
    """Our own links hold nothing to escape, unless the site's address does."""
    return LINKS if escape(settings.NEWSLETTER_SITE_URL) == settings.NEWSLETTER_SITE_URL else frozenset()


@lru_cache(maxsize=16)
def signer_of(made_at: datetime, send_id: int) -> Signer:
    """The maker of links of one send. Its moment and number are the same for all, so the same batch gives the same bytes."""
    return Signer(link_keys(), site_url=settings.NEWSLETTER_SITE_URL, issued=made_at, mailing=send_id)
