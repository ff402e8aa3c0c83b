"""The short name of a list, topic or segment: given once, because rules, publications and the organisation's file use it."""

from typing import Any

from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm


class ShortNameForm(WagtailAdminModelForm):
    """A form whose `slug` can be written only while the row is made. Everything else may be renamed freely."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slug = self.fields["slug"]
        slug.label = _("Short name")
        if self.instance.pk:
            slug.disabled = True
            slug.help_text = _(
                "Rules, publications and the organisation's file use it, so it stays. Rename by the name above."
            )
        else:
            slug.help_text = _(
                "Letters, digits and hyphens. It is used in rules and in the organisation's file, and stays."
            )
