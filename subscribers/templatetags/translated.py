"""`{{ reason|translated }}`: a message in the language of whoever reads the page."""

from django import template

from newsletter.common.translation import translate

register = template.Library()
register.filter("translated", translate, is_safe=False)
