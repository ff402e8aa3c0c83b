"""`{{ reason|said }}`: a sentence that the code made in English, in the language of whoever reads the page."""

from django import template

from newsletter.common.translation import say

register = template.Library()
register.filter("said", say, is_safe=False)
