"""The three settings of the site: WAGTAIL_NEWSLETTER_ADDRESS, WAGTAIL_NEWSLETTER_API_KEY, WAGTAIL_NEWSLETTER_PUBLICATIONS."""

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def read_address() -> str:
    """Return the newsletter's address without a slash at the end."""
    return _require("WAGTAIL_NEWSLETTER_ADDRESS", "the newsletter's address, such as https://news.example.org").rstrip(
        "/"
    )


def read_api_key() -> str:
    return _require("WAGTAIL_NEWSLETTER_API_KEY", "a key that an administrator made under Settings → API keys")


def read_publications() -> Mapping[str, str]:
    """Return which publication to use for a list, both as slugs. Only lists with several publications need it."""
    found = getattr(settings, "WAGTAIL_NEWSLETTER_PUBLICATIONS", {})
    if not isinstance(found, Mapping):
        raise ImproperlyConfigured("WAGTAIL_NEWSLETTER_PUBLICATIONS is a dictionary: {list: publication}.")
    return found


def _require(name: str, what: str) -> str:
    value = getattr(settings, name, "")
    if not isinstance(value, str) or not value:
        raise ImproperlyConfigured(f"Set {name}: {what}.")
    return value
