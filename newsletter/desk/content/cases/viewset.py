"""Cases in the desk: the list, the editor, and which case may be deleted. Followers are counted and never named."""

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList, TitleFieldPanel
from wagtail.admin.ui.tables import NumberColumn
from wagtail.snippets.views.snippets import CreateView, EditView

from newsletter.desk.shell.panels import TemplatePanel
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.short_name_form import ShortNameForm
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.listing import DeskViewSet
from subscribers.models import Case, CaseFollow

MAX_STORIES_LISTED = 50


def case_panel_context(case: Case) -> dict[str, object]:
    """Return the newest stories of the case, and how many people follow it."""
    return {
        "followers": case.follows.count(),
        "story_count": case.stories.count(),
        "stories": case.stories.order_by("-published_at", "-pk")[:MAX_STORIES_LISTED],
    }


class CaseCreateView(AddRowMixin, CreateView):
    add_title = gettext_lazy("Add a case")


class CaseEditView(EditEffectsMixin, VersionedEditMixin, EditView):
    pass


class DeleteCase(RefuseUsedDelete):
    """Delete a case that no story belongs to. Say first how many people stop following it."""

    reason: str | Promise = gettext_lazy(
        "Nothing was deleted. Without the case, its stories would have no link to follow it, and followers would not get the"
        " next ones first."
    )
    advice = gettext_lazy("Empty the field “Case” in these stories, or type another. Then you can delete the case.")

    def list_consequences(self) -> list[str]:
        followers: int = self.object.follows.count()
        text = ngettext(
            "No story belongs to it. %(number)s person follows it and will follow nothing instead.",
            "No story belongs to it. %(number)s people follow it and will follow nothing instead.",
            followers,
        )
        return [text % {"number": intcomma(followers)}]


class CaseViewSet(DeskViewSet):
    model = Case
    purpose = gettext_lazy(
        "A case is what several stories are about, such as a trial. Readers can follow it and get its later stories first."
        " Add one here, or type its name in a story."
    )
    icon = "folder-inverse"
    menu_label = gettext_lazy("Cases")
    menu_order = 115
    add_to_admin_menu = True
    base_url_path = "cases"
    copy_view_enabled = False
    add_view_class = CaseCreateView
    edit_view_class = CaseEditView
    delete_view_class = DeleteCase
    search_fields = ["name"]
    list_per_page = 30
    list_display = [
        "name",
        NumberColumn("story_count", label=gettext_lazy("Stories"), sort_key="story_count"),
        NumberColumn("follower_count", label=gettext_lazy("Followers"), sort_key="follower_count"),
    ]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    TitleFieldPanel(
                        "name",
                        targets=["slug"],
                        classname="",
                        placeholder=False,
                        help_text=gettext_lazy(
                            "Readers see this name. A story whose source has a category with this name belongs to the case."
                        ),
                    )
                ],
                heading=gettext_lazy("Details"),
            ),
            TemplatePanel(
                get_context=case_panel_context,
                template="desk/panels/case.html",
                heading=gettext_lazy("Stories and followers"),
            ),
            MultiFieldPanel([FieldPanel("slug")], heading=gettext_lazy("Advanced"), classname="collapsed"),
        ],
        base_form_class=ShortNameForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        followers = CaseFollow.objects.filter(case=OuterRef("pk")).values("case").annotate(number=Count("pk"))
        return Case.objects.annotate(
            story_count=Count("stories"), follower_count=Coalesce(Subquery(followers.values("number")), 0)
        )
