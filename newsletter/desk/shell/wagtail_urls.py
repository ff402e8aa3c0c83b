"""URLs of Wagtail that the desk closes or replaces. Hiding a menu item closes nothing."""

from django import forms
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.utils.translation import gettext_lazy
from django.views.defaults import page_not_found
from django.views.generic import RedirectView
from wagtail.admin.auth import require_admin_access
from wagtail.admin.forms.choosers import EmailLinkChooserForm, ExternalLinkChooserForm
from wagtail.admin.views.chooser import EmailLinkView, ExternalLinkView

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.common.fields.web_address import WebAddressFormField

BLOCKED_PATHS = (
    "api",
    r"bulk/(?!wagtailimages/)",
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
    r"snippets/choose/(?!newsletter/(?:story|eventnotice|appeal|brand)/|subscribers/(?:mailinglist|segment)/)",
    "reports",
)


def show_not_found(request: HttpRequest) -> HttpResponse:
    """Show staff the desk's own 404 page, with its menu. Show everybody else the public one."""
    missing = Http404("This part of the administration is not used here.")
    if not request.user.has_perm("wagtailadmin.access_admin"):
        raise missing
    return page_not_found(request, missing, template_name="wagtailadmin/404.html")


class LinkAddressField(WebAddressFormField):
    """The address of a link. Wagtail's own field also takes paths, which lead nowhere in a mail."""

    default_error_messages = {
        "email": gettext_lazy("This is an email address. Choose “Email” above to link to it."),
    }


class LinkForm(ExternalLinkChooserForm):
    url = LinkAddressField(label=gettext_lazy("Web address"), widget=forms.TextInput(attrs={"inputmode": "url"}))


class ExternalLink(ExternalLinkView):
    """The form for a link to another site. Wagtail's own form fails if a request lacks the URL field."""

    form_class = LinkForm

    def post(self, request: HttpRequest) -> HttpResponse:
        if f"{self.form_prefix}-url" not in request.POST:
            raise BadRequest("The form has no address.")
        response: HttpResponse = super().post(request)
        return response


class MailLinkForm(LimitedTextsMixin, EmailLinkChooserForm):
    """Wagtail's form. It keeps an address that is too long."""


class MailLink(EmailLinkView):
    form_class = MailLinkForm


urlpatterns: list[URLPattern] = [
    *(re_path(rf"^admin/{part}(?:/|$|(?<=/))", show_not_found) for part in BLOCKED_PATHS if not part.endswith("$")),
    *(re_path(rf"^admin/{part}", show_not_found) for part in BLOCKED_PATHS if part.endswith("$")),
    path("admin/choose-page/", RedirectView.as_view(url="/admin/choose-external-link/", query_string=True)),
    # Addresses of saved content until it moved below issues: bookmarks of staff have them.
    re_path(r"^admin/saved/(?P<rest>.*)$", RedirectView.as_view(url="/admin/issues/saved/%(rest)s", query_string=True)),
    path("admin/choose-external-link/", require_admin_access(ExternalLink.as_view())),
    path("admin/choose-email-link/", require_admin_access(MailLink.as_view())),
]
