"""The short name of a list, topic or segment. Rules, publications and the organisation's file use it, so it never changes."""

from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm


class ShortNameForm(WagtailAdminModelForm):
    """A form whose `slug` can be set only when the row is created."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        slug = self.fields["slug"]
        slug.label = _("Short name")
        if self.instance.pk:
            slug.disabled = True
            slug.help_text = _(
                "Rules, publications and the organisation's file use the short name, so you cannot change it."
                " To rename, change the name above."
            )
        else:
            slug.help_text = _(
                "Letters, digits and hyphens. Rules and the organisation's file use it, so you cannot change it later."
            )
