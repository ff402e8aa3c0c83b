"""The nonce of the content security policy, for inline scripts of templates."""

from django import template

from newsletter.common.script_nonce import current_nonce

register = template.Library()


@register.simple_tag
def csp_nonce() -> str:
    return current_nonce()
