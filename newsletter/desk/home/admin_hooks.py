"""Register the search of the desk with Wagtail."""

from django.urls import URLPattern
from django.urls import path as route
from wagtail import hooks

from newsletter.desk.home.search import SearchPage


def register_admin_urls() -> list[URLPattern]:
    return [route("search/", SearchPage.as_view(), name="newsletter_search")]


hooks.register("register_admin_urls", register_admin_urls)
