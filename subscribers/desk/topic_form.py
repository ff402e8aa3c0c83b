"""The form of a topic, with its names in other languages as lines such as “es: Tierra”."""

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.languages import OFFERED_LANGUAGES
from subscribers.desk.editing.lines_field import LinesField
from subscribers.desk.editing.short_name_form import ShortNameForm
from subscribers.models import Topic

MAX_NAME_LENGTH = 120


def explain_missing_topics() -> str:
    """Return the sentence for a question about topics if no topics exist, so that nobody is asked; else ""."""
    if Topic.objects.exists():
        return ""
    return format_html(
        '{} <a href="{}">{}</a>',
        _("You have no topics yet, so nothing is asked."),
        reverse("wagtailsnippets_subscribers_topic:list"),
        _("Go to topics"),
    )


class NamesField(LinesField):
    """Names by language code, typed one per line."""

    def write_lines(self, value: dict[str, str]) -> list[str]:
        return [f"{code}: {name}" for code, name in value.items()]

    def read_lines(self, lines: list[str]) -> dict[str, str]:
        names = {}
        for line in lines:
            code, _colon, name = (part.strip() for part in line.partition(":"))
            if code.lower() not in OFFERED_LANGUAGES or not name:
                raise ValidationError(
                    _("“%(line)s”: write a language, a colon and the name, such as “es: Tierra”. Languages: %(codes)s.")
                    % {"line": line, "codes": ", ".join(OFFERED_LANGUAGES)}
                )
            if len(name) > MAX_NAME_LENGTH:
                raise ValidationError(
                    _("The name for “%(code)s” has %(length)s characters. The limit is %(limit)s. Shorten it.")
                    % {"code": code, "length": intcomma(len(name)), "limit": MAX_NAME_LENGTH}
                )
            names[code.lower()] = name
        return names


class TopicForm(ShortNameForm):
    names = NamesField(
        required=False,
        label=gettext_lazy("Names in other languages"),
        help_text=gettext_lazy("One per line, such as “es: Tierra”. People who read that language see this name."),
    )
