"""Closes the parts of Wagtail that the desk does not use: hiding a menu closes nothing."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.views.defaults import page_not_found
from django.views.generic import RedirectView

BLOCKED_PATHS = (
    "api",
    r"bulk/(?!wagtailimages/|auth/)",
    "collections",
    "documents",
    "failwhale",
    "locales",
    "pages",
    "password_reset",
    "redirects",
    "sites",
    "snippets/?$",
    "test404",
    "workflows",
    r"choose-page/(?:\d+|search|chosen-multiple)",
    r"snippets/choose/(?!newsletter/(?:story|eventnotice|appeal)/)",
    "reports",
)


def show_not_found(request: HttpRequest) -> HttpResponse:
    """For staff the desk's own page, with its menu; for anybody else as if there were no desk."""
    missing = Http404("This part of the administration is not used here.")
    if not request.user.has_perm("wagtailadmin.access_admin"):
        raise missing
    return page_not_found(request, missing, template_name="wagtailadmin/404.html")


urlpatterns: list[URLPattern] = [
    *(re_path(rf"^admin/{part}(?:/|$|(?<=/))", show_not_found) for part in BLOCKED_PATHS if not part.endswith("$")),
    *(re_path(rf"^admin/{part}", show_not_found) for part in BLOCKED_PATHS if part.endswith("$")),
    path("admin/choose-page/", RedirectView.as_view(url="/admin/choose-external-link/", query_string=True)),
]
