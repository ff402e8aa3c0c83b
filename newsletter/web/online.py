"""The online view of a mailed variant, without anything personal or withdrawn, with events as they are now and corrections.

It has default values, and harmless pages in place of personal links.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter.issues.archive.public_view import (
    find_changed_in_variant,
    find_hidden_in_variant,
    find_shown_corrections,
    is_correction_hidden,
    render_redacted_variant,
)
from newsletter.issues.protected_terms.check import mail_has_protected_term
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.variants.mail_links import untrack_links
from newsletter.models import Publication, Variant
from newsletter.rendering.mail import split
from newsletter.rendering.personal_values import values_for
from newsletter.rendering.tokens import Variable
from subscribers.web.page import ASK_PATH
from subscribers.web.preference_page import CASE

CSP = (
    "default-src 'none'; img-src 'self' {site}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
CACHE_SECONDS = 30


@require_safe
def show_online(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the page behind “view online”. Its address names the variant, not the person."""
    variants = Variant.objects.select_related("revision", "issue__publication__mailing_list")
    variant = variants.filter(public_id=public_id).first()
    if variant is None:
        raise Http404("There is no such issue.")
    now = datetime.now(UTC)
    hidden, changed = find_hidden_in_variant(variant, at=now), find_changed_in_variant(variant, at=now)
    text_hidden = is_correction_hidden(variant, at=now)
    corrections = () if text_hidden else find_shown_corrections(variant.issue, hidden=hidden, channel=EMAIL, at=now)
    is_changed = bool(hidden or changed or corrections or text_hidden)
    mail = render_redacted_variant(variant.pk, hidden, changed, corrections, text_hidden) if is_changed else None
    if mail_has_protected_term(mail or variant):
        raise Http404("There is no such issue.")
    if mail:
        html, variables = mail.html, mail.variables
    else:
        html, variables = variant.html, tuple(Variable(**data) for data in variant.variables)
    join_url = find_join_url(variant.issue.publication)
    response = HttpResponse(wrap_mail(fill_impersonal(html, variables=variables, join_url=join_url)))
    response["Content-Security-Policy"] = CSP.format(site=settings.NEWSLETTER_SITE_URL)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return response


def fill_impersonal(text: str, *, variables: Iterable[Variable], join_url: str) -> str:
    """Return the text with default values and direct links instead of counted ones.

    Personal links lead to the page that mails people their own links. Those to follow a case lead to ``join_url``, because a
    sign-up can follow it too.
    """
    ask_url = f"{settings.NEWSLETTER_SITE_URL}{ASK_PATH}"
    values = values_for(variables=tuple(variables), fields={"unsubscribe": ask_url, "preferences": ask_url})
    impersonal = split(text).join(values).replace(f"{ask_url}?{CASE}=", f"{join_url}?{CASE}=")
    return untrack_links(impersonal)


def find_join_url(publication: Publication) -> str:
    """Return the sign-up page of the publication's list, or the site's front page if the list is not public."""
    site: str = settings.NEWSLETTER_SITE_URL
    return f"{site}/join/{publication.mailing_list.slug}" if publication.mailing_list.public else site


def wrap_mail(html: str, *, head: str = "", top: str = "", foot: str = "") -> str:
    """Return the mail as the main part of a web page, with more in its head, above and below."""
    html = html.replace("</head>", head + "</head>", 1)
    start = html.index(">", html.index("<body")) + 1
    end = html.rindex("</body>")
    return f'{html[:start]}{top}<main id="nl-content">{html[start:end]}</main>{foot}{html[end:]}'
