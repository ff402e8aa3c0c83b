"""Shows mail inside the desk: complete HTML that may run nothing, reach nobody and tell nobody."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from newsletter.rendering import RenderedMail, split, values_for

CSP = (
    "default-src 'none'; img-src 'self' data: {site}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
PERSONAL_LINKS = ("unsubscribe", "preferences")
NOBODY = "#a-link-of-the-reader"
_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_SCHEMES = re.compile(r"color-scheme:\s*light dark")


def frame(html: str) -> HttpResponse:
    """A page for an iframe of the desk: no script, no request but for our own pictures, links open apart."""
    response = HttpResponse(html)
    response["Content-Security-Policy"] = CSP.format(site=settings.NEWSLETTER_SITE_URL)
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def frame_mail(mail: RenderedMail, *, dark: bool = False) -> HttpResponse:
    """The HTML part as a reader without a name gets it, in the light or the dark scheme whatever the desk's is."""
    html = fill(mail.html, mail=mail)
    html = _DARK.sub("@media all" if dark else "@media not all", html)
    html = _SCHEMES.sub(f"color-scheme: {'dark' if dark else 'light'}", html)
    return frame(html.replace("<head>", '<head><base target="_blank">', 1))


def frame_text(mail: RenderedMail, *, request: HttpRequest) -> HttpResponse:
    return frame(
        render_to_string("desk/frames/text.html", {"text": fill(mail.text, mail=mail), "mail": mail}, request=request)
    )


def frame_inbox(mail: RenderedMail, *, sender: str, request: HttpRequest) -> HttpResponse:
    """The mail's row as inboxes show it before it is opened."""
    shown = {"sender": sender, "subject": fill(mail.subject, mail=mail), "preheader": fill(mail.preheader, mail=mail)}
    return frame(render_to_string("desk/frames/inbox.html", shown, request=request))


def frame_message(title: str, *, lines: list[str], request: HttpRequest) -> HttpResponse:
    """A page that says why there is no mail to show."""
    return frame(render_to_string("desk/frames/message.html", {"title": title, "lines": lines}, request=request))


def fill(text: str, *, mail: RenderedMail) -> str:
    """A part of the mail with every personal field at its default."""
    values = values_for(variables=mail.variables, fields=dict.fromkeys(PERSONAL_LINKS, NOBODY))
    return split(text).join(values)
