"""`{% newsletter_sign_up "weekly" %}`: the sign-up form of a list. It holds no key and leads to the newsletter's own page."""

from django import template

from newsletter_for_wagtail.site_settings import read_address

register = template.Library()


@register.inclusion_tag("newsletter_for_wagtail/sign_up.html")
def newsletter_sign_up(mailing_list: str) -> dict[str, str]:
    """Return the values of the form. ``mailing_list`` is the slug of a public list."""
    return {"address": f"{read_address()}/join/{mailing_list}", "mailing_list": mailing_list}
