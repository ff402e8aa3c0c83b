"""An issue viewed online: the variant that was mailed, with nobody's name or links in it."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter.models import Variant
from newsletter.rendering import Variable
from newsletter.web.impersonal import fill_impersonal

CSP = (
    "default-src 'none'; img-src 'self' {site}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


@require_safe
def show_online(request: HttpRequest, public_id: str) -> HttpResponse:
    """The page behind “view online”. It knows which variant, never which reader."""
    variant = Variant.objects.select_related("issue__publication__mailing_list").filter(public_id=public_id).first()
    if variant is None:
        raise Http404("There is no such issue.")
    variables = tuple(Variable(**data) for data in variant.variables)
    mailing_list = variant.issue.publication.mailing_list
    join = (
        f"{settings.NEWSLETTER_SITE_URL}/join/{mailing_list.slug}"
        if mailing_list.public
        else settings.NEWSLETTER_SITE_URL
    )
    response = HttpResponse(fill_impersonal(variant.html, variables=variables, personal_url=join))
    response["Content-Security-Policy"] = CSP.format(site=settings.NEWSLETTER_SITE_URL)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "public, max-age=300"
    return response
