"""Appeals in the desk: the list and the editor."""

from django.forms import CheckboxSelectMultiple
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.snippets.views.snippets import CreateView, EditView

from newsletter.common.translation import language_label
from newsletter.desk.content.add_translation import AddTranslationMixin
from newsletter.desk.content.choosers import AppealChooser
from newsletter.desk.content.language_select import set_up_languages
from newsletter.desk.shell.delete_shown import DeleteShown
from newsletter.models import Appeal
from subscribers.desk.editing.duplicating import DuplicableMixin, DuplicateView
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.short_name_form import NamedForm
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.listing import DeskList, DeskViewSet


class AppealForm(NamedForm):
    named_by = "headline"

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        set_up_languages(self, unset=_("Any language"))


def describe_days(appeal: Appeal) -> str:
    """Return “1 Dec 2026 – 31 Dec 2026”, “from 1 Dec 2026”, “until 31 Dec 2026” or “always”; of a past one, when it ended."""
    first, last = (date_format(day, _("j M Y")) if day else "" for day in (appeal.first_day, appeal.last_day))
    if appeal.last_day and appeal.last_day < localdate():
        return _("ended on %(day)s") % {"day": last}
    if first and last:
        return f"{first} – {last}"
    if first:
        return _("from %(day)s") % {"day": first}
    return _("until %(day)s") % {"day": last} if last else _("always")


class AppealCreateView(AddTranslationMixin, AddRowMixin, CreateView):
    add_title = gettext_lazy("Add an appeal")
    copied_fields = ("audience", "priority", "publications", "first_day", "last_day")


class AppealList(DuplicableMixin, DeskList):
    pass


class DuplicateAppeal(DuplicateView, AppealCreateView):
    renamed = False  # readers see the headline; the short name is made from it


class AppealEditView(DuplicableMixin, EditEffectsMixin, VersionedEditMixin, EditView):
    pass


class AppealViewSet(DeskViewSet):
    model = Appeal
    index_view_class = AppealList
    purpose = gettext_lazy("An appeal asks readers for help or a gift. An issue shows each reader one that suits them.")
    icon = "pick"
    menu_label = gettext_lazy("Appeals")
    menu_order = 130
    add_to_admin_menu = True
    base_url_path = "appeals"
    chooser_viewset_class = AppealChooser
    add_view_class = AppealCreateView
    copy_view_class = DuplicateAppeal
    delete_view_class = DeleteShown
    edit_view_class = AppealEditView
    search_fields = ["headline", "text"]
    list_filter = ["audience", "language", "enabled"]
    list_display = [
        "headline",
        Column("audience", label=gettext_lazy("Audience"), accessor="get_audience_display"),
        Column("days", label=gettext_lazy("Shown"), accessor=describe_days, sort_key="last_day"),
        Column("language", label=gettext_lazy("Language"), accessor=lambda appeal: language_label(appeal.language)),
        Column("priority", label=gettext_lazy("Priority"), sort_key="priority"),
        BooleanColumn("enabled", label=gettext_lazy("In use")),
    ]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("headline"),
                    FieldPanel("text"),
                    FieldRowPanel([FieldPanel("button"), FieldPanel("link")]),
                ],
                heading=gettext_lazy("Content"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("audience"), FieldPanel("language"), FieldPanel("priority")]),
                    FieldPanel("translation_of"),
                    FieldPanel("publications", widget=CheckboxSelectMultiple),
                ],
                heading=gettext_lazy("Who sees it"),
                help_text=gettext_lazy(
                    "An issue shows each person one appeal. Of the appeals for its publication, languages and day, an appeal "
                    "for exactly their giving status comes before one for everybody. Among these, one in their language comes "
                    "first, then the highest priority. “People who do not give yet” are also those whose giving is not known."
                ),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("first_day"), FieldPanel("last_day")]),
                    FieldPanel(
                        "enabled",
                        heading=gettext_lazy("In use"),
                        help_text=gettext_lazy("If you turn this off, no issue shows it."),
                    ),
                ],
                heading=gettext_lazy("When"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel(
                        "slug",
                        heading=gettext_lazy("Short name"),
                        help_text=gettext_lazy(
                            "Made from the headline if you leave it empty. The organisation’s file names the appeal by it."
                        ),
                    )
                ],
                heading=gettext_lazy("Advanced"),
                classname="collapsed",
            ),
        ],
        base_form_class=AppealForm,
    )
