"""Mailing lists and topics in the desk: lists, editors, and the rules for deleting."""

from typing import Any, ClassVar, Protocol

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList, TitleFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column, NumberColumn
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy
from wagtail.snippets.views.snippets import CreateView, EditView

from newsletter.common.archiving import MAX_USES_NAMED, Uses, find_uses
from subscribers.audience.count_cache import Figure, recall_or_count
from subscribers.audience.counting import AudienceCount, count_lists
from subscribers.desk.choosers import PermittedChooserViewSet
from subscribers.desk.count_again import label_count_again, make_count_again_url, wants_count
from subscribers.desk.editing.archiving import (
    ArchivableEditMixin,
    ArchivableList,
    ArchivableViewSet,
    ArchivePage,
    archive_list,
)
from subscribers.desk.editing.duplicating import DuplicateView
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.short_name_form import NamedForm, ShortNameForm
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.embedded_form import EmbedPanel
from subscribers.desk.labels import exclusion_label
from subscribers.desk.listing import DeskViewSet
from subscribers.desk.topic_form import TopicForm, explain_missing_topics
from subscribers.models import MailingList, Segment, Topic
from subscribers.models.lists import make_public_id
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.segments.references import find_segments_that_name

NOBODY = AudienceCount(candidates=0, eligible=0, excluded={})


class NeverDeletePolicy(ModelPermissionPolicy):
    """Never allow a list to be deleted: it is the proof of consent. Staff make it non-public instead."""

    def user_has_permission(self, user: User | AnonymousUser, action: str) -> bool:
        return action != "delete" and bool(super().user_has_permission(user, action))


register_permission_policy(MailingList, NeverDeletePolicy(MailingList))


class ListIndexView(ArchivableList):
    """The lists, each with the number of people who can be emailed and who cannot, all counted at one moment."""

    @cached_property
    def figure(self) -> Figure[dict[int, AudienceCount]]:
        now = timezone.now()
        return recall_or_count("lists", lambda: count_lists(now=now), now=now, again=wants_count(self.request))

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        buttons: list[HeaderButton] = super().header_buttons
        if self.figure.counted_at is None:
            return buttons
        return [
            *buttons,
            HeaderButton(
                label_count_again(self.figure.counted_at), url=make_count_again_url(self.request), icon_name="rotate"
            ),
        ]

    def get_context_data(self, *args: object, **kwargs: object) -> dict[str, object]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        counts = self.figure.value
        for mailing_list in context["object_list"]:
            mailing_list.audience_count = counts.get(mailing_list.pk, NOBODY)
        return context


class CountedList(Protocol):
    """A row of the list of lists."""

    audience_count: AudienceCount


def count_mailable(mailing_list: CountedList) -> int:
    return mailing_list.audience_count.eligible


def describe_excluded(mailing_list: CountedList) -> str:
    """Return “3 not confirmed yet; 1 paused”, the largest number first; empty if nobody is excluded."""
    rows = sorted(mailing_list.audience_count.excluded.items(), key=lambda row: (-row[1], row[0]))
    return "; ".join(f"{intcomma(people)} {exclusion_label(reason)}" for reason, people in rows)


class ListForm(ShortNameForm):
    """The form of a list. It says if the question about topics cannot be asked yet."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ask_topics"].help_text = explain_missing_topics()


class NewListForm(NamedForm):
    """A list's name and description, in the chooser. Its short name is made from the name."""

    class Meta:
        model = MailingList
        fields = ("name", "description")


class ListChooser(PermittedChooserViewSet):
    creation_form_class = NewListForm
    creation_tab_label = gettext_lazy("New list")
    create_action_label = gettext_lazy("Create list")


class ListCreateView(AddRowMixin, CreateView):
    add_title = gettext_lazy("Add a list")


class DuplicateList(DuplicateView, ListCreateView):
    """The form of a copy, without people. It is private, so that nobody signs up before somebody looked at it."""

    changes: ClassVar[dict[str, object]] = {"archived": False, "public": False}

    def get_initial_form_instance(self) -> object:
        row: Any = super().get_initial_form_instance()
        row.public_id = make_public_id()
        return row


class ListEditView(ArchivableEditMixin, EditEffectsMixin, VersionedEditMixin, EditView):
    pass


def find_mentions(mailing_list: MailingList) -> list[Uses]:
    """Return the issues that are to go to the list, and the segments that select by it."""
    segments = find_segments_that_name("list", mailing_list.slug)
    uses = [Uses(model=Segment, count=len(segments), rows=list(segments[:MAX_USES_NAMED]))] if segments else []
    return [*get_publishing_hooks().find_open_issues(mailing_list), *uses]


class DeleteList(RefuseUsedDelete):
    """Refuse to delete a list, and say why and what uses it."""

    reason = gettext_lazy("A list is never deleted: it holds the proof that the people on it agreed.")
    advice = gettext_lazy("Archive the list instead: nobody can sign up for it any more, and you can bring it back.")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if self.user_has_permission("change"):
            return self.refuse(request, [*find_uses(self.object), *find_mentions(self.object)])
        return super().dispatch(request, *args, **kwargs)


class ArchiveListPage(ArchivePage):
    find_mentions = staticmethod(find_mentions)
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
    add_view_class = ListCreateView
    edit_view_class = ListEditView
    delete_view_class = DeleteList
    purpose = gettext_lazy("A mailing list is what people sign up for. A publication is sent to one list.")
    index_view_class = ListIndexView
    icon = "list-ul"
    menu_label = gettext_lazy("Lists")
    base_url_path = "lists"
    copy_view_class = DuplicateList
    search_fields = ["name", "description"]
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
            [
                FieldRowPanel([FieldPanel("double_opt_in"), FieldPanel("public")]),
                FieldRowPanel([FieldPanel("joined_url"), FieldPanel("confirmed_url")]),
            ],
            heading=gettext_lazy("Signing up"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("ask_name"), FieldPanel("ask_place")]),
                FieldRowPanel([FieldPanel("ask_topics"), FieldPanel("ask_language")]),
            ],
            heading=gettext_lazy("Sign-up form questions"),
            help_text=gettext_lazy(
                "People are asked for topics or a language only if a segment or a publication uses them."
            ),
        ),
        EmbedPanel(heading=gettext_lazy("Sign-up form for your website")),
        MultiFieldPanel([FieldPanel("slug")], heading=gettext_lazy("Advanced"), classname="collapsed"),
    ]
    edit_handler = ObjectList(list_panels, base_form_class=ListForm)


class DeleteTopic(RefuseUsedDelete):
    """Delete a topic that nobody chose and nothing carries, not even the rule of a segment or of a block."""

    reason = gettext_lazy(
        "Nothing was deleted. Without the topic, people who chose it and no other would get every story."
    )

    def find_uses(self) -> list[Uses]:
        segments = find_segments_that_name("topic", self.object.slug)
        uses = [Uses(model=Segment, count=len(segments), rows=list(segments))] if segments else []
        blocks = get_publishing_hooks().find_limited_blocks("topic", self.object.slug)
        return [*find_uses(self.object), *uses, *blocks]


class TopicCreateView(AddRowMixin, CreateView):
    add_title = gettext_lazy("Add a topic")


class TopicEditView(VersionedEditMixin, EditView):
    pass


class TopicViewSet(DeskViewSet):
    model = Topic
    add_view_class = TopicCreateView
    edit_view_class = TopicEditView
    delete_view_class = DeleteTopic
    icon = "tag"
    base_url_path = "topics"
    copy_view_enabled = False
    purpose = gettext_lazy("A topic is a subject that stories carry and that people can choose when they sign up.")
    search_fields = ["name"]
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
