"""Builds what one batch hands to the provider: the variant's mail and each person's values. Same batch, same bytes."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings

from newsletter.errors import Broken
from newsletter.models import Batch, Variant
from newsletter.providers.contract import BatchCall, Mail, Person
from newsletter.rendering import Variable, hash_mail, values_for
from subscribers.addresses import to_ascii
from subscribers.links import Signer, link_keys
from subscribers.models import Subscriber
from subscribers.places import region_name


def build_call(*, batch: Batch, deliveries: Sequence[tuple[int, int]]) -> BatchCall:
    """The call for these (delivery id, subscriber id) pairs of a batch. Raises Broken where the variant's bytes changed."""
    variant, send = batch.variant, batch.send
    variables = read_variables(variant)
    content = send.revision.content["publication"]
    signer = Signer(link_keys(), site_url=settings.NEWSLETTER_SITE_URL, issued=send.made_at)
    list_id = bytes.fromhex(content["list_id"])
    people = {person["pk"]: person for person in _load(subscriber for _, subscriber in deliveries)}
    return BatchCall(
        key=batch.key,
        issue=send.issue.public_id,
        variant=variant.key,
        label=variant.label,
        mail=make_mail(variant=variant, publication=content),
        people=[
            Person(
                delivery=delivery,
                address=to_ascii(people[subscriber]["email"]),
                variables=values_for(variables=variables, fields=person_fields(people[subscriber], signer=signer, list_id=list_id)),
            )
            for delivery, subscriber in deliveries
            if subscriber in people
        ],
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


def person_fields(person: Mapping[str, Any], *, signer: Signer, list_id: bytes) -> dict[str, str]:
    """The closed list of fields that a mail may hold of a person, and the person's own links."""
    name = person["name"]
    subscriber = person["uuid"].bytes
    return {
        "name": name,
        "first_name": name.split(maxsplit=1)[0] if name.strip() else "",
        "city": person["place__town"] or "",
        "region": _region(person["place__region"] or ""),
        "unsubscribe": signer.unsubscribe_url(subscriber, list_id),
        "preferences": signer.preferences_url(subscriber, list_id),
    }


def read_variables(variant: Variant) -> tuple[Variable, ...]:
    """The variant's variables, after making sure that its bytes are the ones that were rendered and approved."""
    variables = tuple(Variable(**data) for data in variant.variables)
    if hash_mail(subject=variant.subject, html=variant.html, text=variant.text, variables=variables) != variant.sha256:
        raise Broken(f"Variant {variant.key} of {variant.issue} is not what was rendered. Nothing of it is sent.")
    return variables


PERSON_COLUMNS = ("pk", "uuid", "email", "name", "place__town", "place__region")


def _load(subscriber_ids: Any) -> Any:
    return Subscriber.objects.filter(pk__in=list(subscriber_ids)).values(*PERSON_COLUMNS)


@lru_cache(maxsize=4096)
def _region(code: str) -> str:
    return region_name(code) if code else ""
