"""The online view of a mailed variant, without anything personal or withdrawn, and with events as they are now."""

from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter.issues.archive.public_view import (
    find_changed_in_variant,
    find_hidden_in_variant,
    render_redacted_variant,
)
from newsletter.issues.protected_terms.check import mail_has_protected_term
from newsletter.models import Variant
from newsletter.rendering.tokens import Variable
from newsletter.web.mail_without_person import fill_impersonal, find_join_url, wrap_mail

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
    mail = render_redacted_variant(variant.pk, hidden, changed) if hidden or changed else None
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
