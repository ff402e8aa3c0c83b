"""The filter `{{ reason|translated }}`, which shows a message in the reader's language."""

from django import template

from newsletter.common.translation import translate

register = template.Library()
register.filter("translated", translate, is_safe=False)
