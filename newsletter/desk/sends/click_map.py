"""A picture of the mail with how often each link was followed, and what the mail says where a link stands. Reads only."""

from collections.abc import Mapping

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpResponse
from django.utils.html import escape
from django.utils.translation import ngettext
from lxml.html import HtmlElement, document_fromstring

from newsletter.desk.preview.mail_iframe import apply_look, fill_personal_fields, frame
from newsletter.issues.variants.click_links import list_link_targets, mark_links
from newsletter.models import Variant
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.tokens import Variable

_BADGE = (
    "display:inline-block;background:{ground};color:#ffffff;border:1px solid #ffffff;border-radius:10px;padding:0 7px;"
    "margin:0 4px 0 0;font:700 12px/18px Arial,sans-serif;text-decoration:none;vertical-align:middle"
)
_CLICKED_COLOUR, _UNCLICKED_COLOUR = "#8a1f5c", "#5b6472"


def click_map_response(variant: Variant, *, clicks: Mapping[str, int]) -> HttpResponse:
    """The variant as it was mailed, each link with its number of clicks by people in all variants. ``clicks`` is by target."""
    mail = RenderedMail(
        subject=variant.subject,
        preheader=variant.preheader,
        html=variant.html,
        text=variant.text,
        variables=tuple(Variable(**data) for data in variant.variables),
        sha256=variant.sha256,
    )
    html = mark_links(variant.html, mark=lambda target: _badge(clicks.get(target, 0)))
    return frame(
        apply_look(fill_personal_fields(html, mail=mail), look="mail").replace(
            "<head>", '<head><base target="_blank">', 1
        )
    )


def find_link_texts(html: str) -> dict[str, str]:
    """By target, the words of the first link to it that has any; the description of a picture where only pictures lead there."""
    said: dict[str, str] = {}
    described: dict[str, str] = {}
    targets = iter(list_link_targets(html))
    for link in document_fromstring(html).iter("a"):
        if "/r/" in (link.get("href") or "") and "?to=" in (link.get("href") or ""):
            target = next(targets, "")
            said[target] = said.get(target) or _link_text(link)
            described[target] = described.get(target) or _image_alt(link)
    return {target: words for target in said if (words := said[target] or described[target])}


def _link_text(link: HtmlElement) -> str:
    return " ".join(link.text_content().split())[:120]


def _image_alt(link: HtmlElement) -> str:
    return next((image.get("alt") or "" for image in link.iter("img")), "")[:120]


def _badge(people: int) -> str:
    said = ngettext("%(shown)s click", "%(shown)s clicks", people) % {"shown": intcomma(people)}
    style = _BADGE.format(ground=_CLICKED_COLOUR if people else _UNCLICKED_COLOUR)
    return f'<span style="{style}" title="{escape(said)}">{intcomma(people)}</span>'
