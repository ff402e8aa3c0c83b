"""A view of the sent mail with the number of clicks at each link, and the text of each link. Reads only."""

from collections.abc import Mapping

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpResponse
from django.utils.html import escape
from django.utils.translation import ngettext
from lxml.html import HtmlElement, document_fromstring

from newsletter.desk.preview.mail_iframe import apply_look, fill_personal_fields, iframe_response, open_links_outside
from newsletter.issues.variants.mail_links import list_destinations, mark_links
from newsletter.models import Variant
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.tokens import Variable

_BADGE = (
    "display:inline-block;background:{ground};color:#ffffff;border:1px solid #ffffff;border-radius:10px;padding:0 7px;"
    "margin:0 4px 0 0;font:700 12px/18px Arial,sans-serif;text-decoration:none;vertical-align:middle"
)
_CLICKED_COLOUR, _UNCLICKED_COLOUR = "#8a1f5c", "#5b6472"
_MAX_TEXT_LENGTH = 120


def click_map_response(variant: Variant, *, clicks: Mapping[str, int]) -> HttpResponse:
    """Return the variant as it was sent. ``clicks`` has the number of clicks by people in all variants, by destination."""
    mail = RenderedMail(
        subject=variant.subject,
        preheader=variant.preheader,
        html=variant.html,
        text=variant.text,
        variables=tuple(Variable(**data) for data in variant.variables),
        sha256=variant.sha256,
    )
    html = mark_links(variant.html, mark=lambda destination: _badge(clicks.get(destination, 0)))
    return iframe_response(open_links_outside(apply_look(fill_personal_fields(html, mail=mail), look="mail")))


def find_link_texts(html: str) -> dict[str, str]:
    """Return the text of each destination's first link that has text, or else the alternative text of its image."""
    texts: dict[str, str] = {}
    alternatives: dict[str, str] = {}
    destinations = iter(list_destinations(html))
    for link in document_fromstring(html).iter("a"):
        url = link.get("href") or ""
        if "/r/" in url and "?to=" in url:
            destination = next(destinations, "")
            texts[destination] = texts.get(destination) or _link_text(link)
            alternatives[destination] = alternatives.get(destination) or _image_alt(link)
    return {destination: text for destination in texts if (text := texts[destination] or alternatives[destination])}


def _link_text(link: HtmlElement) -> str:
    return " ".join(link.text_content().split())[:_MAX_TEXT_LENGTH]


def _image_alt(link: HtmlElement) -> str:
    return next((image.get("alt") or "" for image in link.iter("img")), "")[:_MAX_TEXT_LENGTH]


def _badge(clicks: int) -> str:
    label = ngettext("%(shown)s click", "%(shown)s clicks", clicks) % {"shown": intcomma(clicks)}
    style = _BADGE.format(ground=_CLICKED_COLOUR if clicks else _UNCLICKED_COLOUR)
    return f'<span style="{style}" title="{escape(label)}">{intcomma(clicks)}</span>'
