"""The nonce of the content policy, for inline scripts of templates."""

from django import template

from subscribers.nonce import current_nonce

register = template.Library()


@register.simple_tag
def csp_nonce() -> str:
    return current_nonce()
