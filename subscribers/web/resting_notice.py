"""The notice of the preference centre to a person who rests, with the button that ends it. The press stores the shown text."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

SHOWN_FIELD, SHOWN_NOTICE = "shown", "rest"
"""The field by which the form says that its button was pressed next to this notice."""


def describe_rest(since: datetime) -> dict[str, str]:
    """Return the text and the button for somebody who rests since this moment."""
    text = gettext("You have got no newsletters since %(day)s, because you did not answer whether you still want them.")
    day = date_format(timezone.localtime(since), gettext("j F Y"))
    return {"text": text % {"day": day}, "button": gettext("Send them again")}
