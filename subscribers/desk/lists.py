"""Mailing lists and topics in the desk: lists, editors, and what may be deleted."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList, TitleFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column, NumberColumn
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy
from wagtail.snippets.views.snippets import EditView, SnippetViewSet

from newsletter.common.archiving import Uses, find_uses
from subscribers.audience.eligibility import AudienceCount, count_lists
from subscribers.desk.choosers import PermittedChooserViewSet
from subscribers.desk.editing.archiving import (
    ArchivableEditMixin,
    ArchivableList,
    ArchivableViewSet,
    ArchivePage,
    archive_list,
)
from subscribers.desk.editing.short_name_form import NamedForm, ShortNameForm
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.embedded_form import EmbedPanel
from subscribers.desk.labels import exclusion_label
from subscribers.desk.listing import HOME_BREADCRUMB, DeskList
from subscribers.desk.topic_form import TopicForm
from subscribers.models import MailingList, Segment, Topic
from subscribers.segments.naming import find_segments_that_name

NOBODY = AudienceCount(candidates=0, eligible=0, excluded={})


class NeverDeletePolicy(ModelPermissionPolicy):
    """Never allow a list to be deleted: it holds the proof of consent. Staff make it non-public instead."""

    def user_has_permission(self, user: User | AnonymousUser, action: str) -> bool:
        return action != "delete" and bool(super().user_has_permission(user, action))


register_permission_policy(MailingList, NeverDeletePolicy(MailingList))


class KeepChosenTopicsPolicy(ModelPermissionPolicy):
    """Allow a topic to be deleted only if nobody chose it: their choice would be lost."""

    def user_has_permission_for_instance(self, user: User | AnonymousUser, action: str, instance: Any) -> bool:
        kept = action == "delete" and instance.subscribers.exists()
        return not kept and bool(super().user_has_permission_for_instance(user, action, instance))


register_permission_policy(Topic, KeepChosenTopicsPolicy(Topic))


class ListIndexView(ArchivableList):
    """The lists, each with the number of people who can be emailed and who cannot, all counted at one moment."""

    def get_context_data(self, *args: object, **kwargs: object) -> dict[str, object]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        counts = count_lists(now=timezone.now())
        for mailing_list in context["object_list"]:
            mailing_list.audience_count = counts.get(mailing_list.pk, NOBODY)
        return context


def count_mailable(mailing_list: Any) -> int:
    return int(mailing_list.audience_count.eligible)


def describe_excluded(mailing_list: Any) -> str:
    """Return “3 not confirmed yet; 1 paused”, the largest number first; empty if nobody is excluded."""
    rows = sorted(mailing_list.audience_count.excluded.items(), key=lambda row: (-row[1], row[0]))
    return "; ".join(f"{intcomma(people)} {exclusion_label(reason)}" for reason, people in rows)


class NewListForm(NamedForm):
    """A list's name and description, in the chooser. Its short name is made from the name."""

    class Meta:
        model = MailingList
        fields = ("name", "description")


class ListChooser(PermittedChooserViewSet):
    creation_form_class = NewListForm
    creation_tab_label = gettext_lazy("New list")
    create_action_label = gettext_lazy("Create list")


class ListEditView(ArchivableEditMixin, EditView):
    pass


class ArchiveListPage(ArchivePage):
    archive = staticmethod(archive_list)
    consequences = (
        gettext_lazy("Nobody can sign up for it any more: its sign-up page and form are closed."),
        gettext_lazy("No publication can be sent to it."),
        gettext_lazy(
            "People stay on it with the proof of their consent, and can unsubscribe. Segments can still use it."
        ),
        gettext_lazy("You can bring it back at any time."),
    )
    after_return = gettext_lazy("It is private. Turn on “Open to the public” to let people sign up again.")


class ListViewSet(ArchivableViewSet):
    model = MailingList
    chooser_viewset_class = ListChooser
    archive_page_class = ArchiveListPage
    edit_view_class = ListEditView
    purpose = gettext_lazy("A mailing list is what people sign up for. A publication is sent to one list.")
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = ListIndexView
    icon = "list-ul"
    menu_label = gettext_lazy("Lists")
    base_url_path = "lists"
    copy_view_enabled = False
    search_fields = ["name", "description"]
    search_backend_name = None
    list_display = [
        "name",
        NumberColumn("mailed", label=gettext_lazy("Can be emailed"), accessor=count_mailable),
        Column("others", label=gettext_lazy("Cannot be emailed"), accessor=describe_excluded),
        BooleanColumn("double_opt_in", label=gettext_lazy("Double opt-in")),
        BooleanColumn("public", label=gettext_lazy("Public")),
    ]
    list_panels = [
        MultiFieldPanel(
            [
                TitleFieldPanel("name", targets=["slug"], classname="", placeholder=False),
                FieldPanel("description", help_text=gettext_lazy("People read this when they sign up.")),
            ],
            heading=gettext_lazy("Details"),
        ),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("double_opt_in"), FieldPanel("public")])], heading=gettext_lazy("Signing up")
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("ask_name"), FieldPanel("ask_place")]),
                FieldRowPanel([FieldPanel("ask_topics"), FieldPanel("ask_language")]),
            ],
            heading=gettext_lazy("Sign-up form questions"),
            help_text=gettext_lazy("People are asked for topics or a language only if a segment selects by them."),
        ),
        EmbedPanel(heading=gettext_lazy("Sign-up form for your website")),
        MultiFieldPanel([FieldPanel("slug")], heading=gettext_lazy("Advanced"), classname="collapsed"),
    ]
    edit_handler = ObjectList(list_panels, base_form_class=ShortNameForm)


class DeleteTopic(RefuseUsedDelete):
    """Delete a topic that nobody chose and nothing carries, not even the rule of a segment."""

    def find_uses(self) -> list[Uses]:
        segments = find_segments_that_name("topic", self.object.slug)
        named = [Uses(model=Segment, count=len(segments), rows=list(segments))] if segments else []
        return [*find_uses(self.object), *named]


class TopicViewSet(SnippetViewSet):
    model = Topic
    breadcrumbs_items = HOME_BREADCRUMB
    delete_view_class = DeleteTopic
    index_view_class = DeskList
    icon = "tag"
    base_url_path = "topics"
    copy_view_enabled = False
    purpose = gettext_lazy("A topic is a subject that stories carry and that people can choose when they sign up.")
    search_fields = ["name"]
    search_backend_name = None
    list_display = ["name"]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [TitleFieldPanel("name", targets=["slug"], classname="", placeholder=False), FieldPanel("names")],
                heading=gettext_lazy("Details"),
            ),
            MultiFieldPanel([FieldPanel("slug")], heading=gettext_lazy("Advanced"), classname="collapsed"),
        ],
        base_form_class=TopicForm,
    )
