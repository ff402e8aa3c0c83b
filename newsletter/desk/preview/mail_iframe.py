"""Show mail inside the desk, in iframes that run no script and load nothing but our own images."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from newsletter.desk.preview.forced_dark import force_dark
from newsletter.rendering.mail import RenderedMail, split
from newsletter.rendering.personal_values import PERSONAL_LINKS, values_for

CSP = (
    "default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
PLACEHOLDER_LINK = "#a-link-of-the-reader"
_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_LIGHT_DARK = re.compile(r"color-scheme:\s*light dark")

Fields = Mapping[str, str]


def iframe_response(html: str, *, pictures: bool = True) -> HttpResponse:
    """Return a page for an iframe of the desk. Its links open outside the iframe if it has a base target."""
    response = HttpResponse(html)
    allowed = f"'self' data: {settings.NEWSLETTER_SITE_URL}" if pictures else "'none'"
    response["Content-Security-Policy"] = CSP.format(pictures=allowed)
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def mail_iframe_response(mail: RenderedMail, *, look: str = "mail", fields: Fields | None = None) -> HttpResponse:
    """Return the HTML part in one look, independent of the desk's colour scheme.

    ``fields`` are the person's values. ``look`` is mail (light), dark (the mail's own dark rules), forced (colours
    inverted by the mail program) or bare (images not loaded).
    """
    html = apply_look(fill_personal_fields(mail.html, mail=mail, fields=fields), look=look)
    return iframe_response(open_links_outside(html), pictures=look != "bare")


def open_links_outside(html: str) -> str:
    """Return the HTML with links that open a new tab instead of the iframe."""
    return html.replace("<head>", '<head><base target="_blank">', 1)


def apply_look(html: str, *, look: str) -> str:
    """Return the HTML with its colour scheme fixed to one look, so that the browser's setting has no effect."""
    dark = look == "dark"
    html = _DARK.sub("@media all" if dark else "@media not all", html)
    html = _LIGHT_DARK.sub(f"color-scheme: {'dark' if dark else 'light'}", html)
    return force_dark(html) if look == "forced" else html


def text_iframe_response(mail: RenderedMail, *, request: HttpRequest, fields: Fields | None = None) -> HttpResponse:
    text = fill_personal_fields(mail.text, mail=mail, fields=fields)
    return iframe_response(render_to_string("desk/iframes/text.html", {"text": text}, request=request))


def inbox_iframe_response(
    mail: RenderedMail, *, sender: str, request: HttpRequest, fields: Fields | None = None
) -> HttpResponse:
    """Return the mail's row as inboxes show it."""
    context = {
        "sender": sender,
        "subject": fill_personal_fields(mail.subject, mail=mail, fields=fields),
        "preheader": fill_personal_fields(mail.preheader, mail=mail, fields=fields),
    }
    return iframe_response(render_to_string("desk/iframes/inbox.html", context, request=request))


def message_iframe_response(title: str, *, lines: list[str], request: HttpRequest) -> HttpResponse:
    """Return a page that explains why there is no mail to show."""
    context = {"title": title, "lines": lines}
    return iframe_response(render_to_string("desk/iframes/message.html", context, request=request))


def fill_personal_fields(text: str, *, mail: RenderedMail, fields: Fields | None = None) -> str:
    """Return part of a mail with a person's values, or with every fallback. Personal links lead nowhere."""
    values = {**(fields or {}), **dict.fromkeys(PERSONAL_LINKS, PLACEHOLDER_LINK)}
    return split(text).join(values_for(variables=mail.variables, fields=values))
