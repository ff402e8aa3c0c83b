"""The tag `{% refused_form address as typed %}`: the fields of a form that was refused at this address, to fill it in again."""

from django import template
from django.template import Context

from newsletter.common.staff_pages import take_refused_form

register = template.Library()


@register.simple_tag(takes_context=True)
def refused_form(context: Context, address: str) -> dict[str, str]:
    return take_refused_form(context["request"], address=address)
