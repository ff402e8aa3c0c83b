"""Audiences and segments: an audience is a mailing list, and an issue for it is one of the publication that uses the list."""

from collections.abc import Iterator

from wagtail_newsletter.audiences import Audience, AudienceSegment

from newsletter_for_wagtail.client import Client, Document
from newsletter_for_wagtail.problems import NewsletterError
from newsletter_for_wagtail.site_settings import read_publications


def list_audiences(client: Client) -> list[Audience]:
    """Return the lists that are in use, each with the number of people who may be mailed now."""
    return [
        Audience(
            id=str(row["slug"]),
            name=str(row["name"]),
            member_count=client.get(f"lists/{row['slug']}/count")["eligible"],
        )
        for row in client.list_items("lists")
        if not row["archived"]
    ]


def list_segments(client: Client, *, audience: str) -> list[AudienceSegment]:
    """Return the segments in use, each with the number of its people on this list. A key for some lists sees none.

    The id begins with the list, because wagtail-newsletter reads the list from it.
    """
    if client.find(f"lists/{audience}") is None:
        raise Audience.DoesNotExist
    try:
        rows = [row for row in client.list_items("segments") if not row["archived"]]
    except NewsletterError as error:
        if error.code == "key_limited_to_lists":
            return []
        raise
    return [
        AudienceSegment(
            id=f"{audience}/{row['slug']}",
            name=str(row["name"]),
            member_count=_count(client, audience=audience, rule=row["rule"]),
        )
        for row in rows
    ]


def find_publication(client: Client, *, audience: str) -> str:
    """Return the slug of the publication that is sent to this list. Raise NewsletterError if there is none or several."""
    chosen = read_publications().get(audience)
    if chosen:
        return chosen
    found = [str(row["slug"]) for row in _list_publications(client) if row["mailing_list"] == audience]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NewsletterError(
            f"No publication of the newsletter is sent to the list “{audience}”. Nothing was saved there. Choose other "
            "recipients, or ask an administrator of the newsletter to add a publication for this list."
        )
    raise NewsletterError(
        f"Several publications are sent to the list “{audience}”: {', '.join(found)}. Nothing was saved in the newsletter. "
        "Ask the administrator of this site to name one in WAGTAIL_NEWSLETTER_PUBLICATIONS."
    )


def split_segment(segment: str | None) -> str:
    """Return the slug of a segment of `list_segments`, or ""."""
    return (segment or "").partition("/")[2]


def _list_publications(client: Client) -> Iterator[Document]:
    rows = client.get("publications")["publications"]
    for row in rows if isinstance(rows, list) else ():
        found = client.get(f"publications/{row['slug']}")
        if found["enabled"] and not found["archived"]:
            yield found


def _count(client: Client, *, audience: str, rule: object) -> object:
    """Return how many people of the list a rule selects, or None if the rule cannot be used any more."""
    try:
        return client.post("segments/preview", {"rule": {"all": [{"list": audience}, rule]}})["people"]
    except NewsletterError as error:
        if error.code == "invalid_rule":
            return None
        raise
