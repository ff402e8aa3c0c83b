"""Shows mail inside the desk: complete HTML that may run nothing, reach nobody and tell nobody."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from newsletter.desk.preview.forced_dark import force_dark
from newsletter.rendering.fragments import split
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.values import values_for

CSP = (
    "default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
PERSONAL_LINKS = ("unsubscribe", "preferences")
PLACEHOLDER_LINK = "#a-link-of-the-reader"
LOOKS = ("mail", "dark", "forced", "bare")
_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_LIGHT_DARK = re.compile(r"color-scheme:\s*light dark")

Fields = Mapping[str, str]


def frame(html: str, *, pictures: bool = True) -> HttpResponse:
    """A page for an iframe of the desk: no script, no request but for our own pictures, links open apart."""
    response = HttpResponse(html)
    allowed = f"'self' data: {settings.NEWSLETTER_SITE_URL}" if pictures else "'none'"
    response["Content-Security-Policy"] = CSP.format(pictures=allowed)
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def mail_iframe_response(mail: RenderedMail, *, look: str = "mail", fields: Fields | None = None) -> HttpResponse:
    """The HTML part as a reader gets it, whatever the desk's own scheme is; ``fields`` are what is known of the reader.

    ``look`` is mail (light), dark (programs that obey the mail's dark rules), forced (those that turn colours round by
    themselves) or bare (pictures not loaded).
    """
    html = apply_look(fill_personal_fields(mail.html, mail=mail, fields=fields), look=look)
    return frame(html.replace("<head>", '<head><base target="_blank">', 1), pictures=look != "bare")


def apply_look(html: str, *, look: str) -> str:
    """The HTML with its scheme fixed to one look, so that the browser's own setting changes nothing."""
    dark = look == "dark"
    html = _DARK.sub("@media all" if dark else "@media not all", html)
    html = _LIGHT_DARK.sub(f"color-scheme: {'dark' if dark else 'light'}", html)
    return force_dark(html) if look == "forced" else html


def text_iframe_response(mail: RenderedMail, *, request: HttpRequest, fields: Fields | None = None) -> HttpResponse:
    text = fill_personal_fields(mail.text, mail=mail, fields=fields)
    return frame(render_to_string("desk/frames/text.html", {"text": text, "mail": mail}, request=request))


def inbox_iframe_response(
    mail: RenderedMail, *, sender: str, request: HttpRequest, fields: Fields | None = None
) -> HttpResponse:
    """The mail's row as inboxes show it before it is opened."""
    shown = {
        "sender": sender,
        "subject": fill_personal_fields(mail.subject, mail=mail, fields=fields),
        "preheader": fill_personal_fields(mail.preheader, mail=mail, fields=fields),
    }
    return frame(render_to_string("desk/frames/inbox.html", shown, request=request))


def message_iframe_response(title: str, *, lines: list[str], request: HttpRequest) -> HttpResponse:
    """A page that says why there is no mail to show."""
    return frame(render_to_string("desk/frames/message.html", {"title": title, "lines": lines}, request=request))


def fill_personal_fields(text: str, *, mail: RenderedMail, fields: Fields | None = None) -> str:
    """A part of the mail with a reader's values, or with every personal field at its default; links lead nowhere."""
    known = {**(fields or {}), **dict.fromkeys(PERSONAL_LINKS, PLACEHOLDER_LINK)}
    return split(text).join(values_for(variables=mail.variables, fields=known))
