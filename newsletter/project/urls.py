"""Every route of the product."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    path("", include("newsletter.desk.blocked")),
    path("admin/", include(wagtailadmin_urls)),
    path("", include("newsletter.web.urls")),
    path("", include("subscribers.web.urls")),
]
