"""The editor of an issue's subject, preheader and body. It never changes an issue's state."""

from typing import TypedDict, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.mixins import RevisionsRevertMixin
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.snippets.action_menu import ActionMenuItem, SaveMenuItem
from wagtail.snippets.views.snippets import PreviewRevisionView

from newsletter.desk.editor.block_form import BodyWidget
from newsletter.desk.editor.check_panel import IssueChecksPanel
from newsletter.desk.editor.issue_list import IssueFilters, IssueList, StateColumn
from newsletter.desk.editor.locks import find_issue_lock
from newsletter.desk.editor.other_editors import warn_of_other_editors
from newsletter.desk.editor.preview import DEFAULT_MODE, IssuePreview, list_issue_modes, show_mail_part
from newsletter.desk.editor.saving import SavingEditView
from newsletter.desk.issues.comments.threads import IssueCommentsPanel
from newsletter.desk.issues.issue_page import overview_url, with_kept_counts
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import show_or_explain
from newsletter.desk.preview.person import can_preview_people
from newsletter.desk.publications.slot_text import format_created, format_sent_or_due
from newsletter.desk.shell.labels import send_began, written_to_files
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Issue
from newsletter.models.body_fields import LIMIT_ATTRIBUTE
from newsletter.rendering.lint.document import PHONE_SUBJECT_LENGTH
from newsletter.rendering.phrases import READER_TEXTS, base_language
from subscribers.desk.listing import DeskViewSet, format_moment

MAX_SUBJECT_LENGTH, MIN_PREHEADER_LENGTH, MAX_PREHEADER_LENGTH = PHONE_SUBJECT_LENGTH, 40, 110
"""Characters that a phone shows. They are advice, not limits: docs/reference/checks.md has the measurement."""


_FALLBACKS = {
    "first_name": "unknown_name",
    "name": "unknown_name",
    "city": "unknown_town",
    "region": "unknown_region",
}


class PersonalField(TypedDict):
    """A button that inserts a personal field. ``fallback`` is in the language of the mail; "" if we have no word in it."""

    name: str
    label: str
    fallback: str


class InboxPanelContext(TypedDict):
    """The context of desk/panels/inbox.html. A script reads subject and preheader from the form."""

    max_subject: int
    min_preheader: int
    max_preheader: int
    fields: list[PersonalField]


def inbox_panel_context(issue: Issue) -> InboxPanelContext:
    words = READER_TEXTS.get(base_language(issue.publication.language), {})
    labels = {"first_name": _("First name"), "name": _("Whole name"), "city": _("Town"), "region": _("Region")}
    return {
        "max_subject": MAX_SUBJECT_LENGTH,
        "min_preheader": MIN_PREHEADER_LENGTH,
        "max_preheader": MAX_PREHEADER_LENGTH,
        "fields": [
            {"name": name, "label": label, "fallback": words.get(_FALLBACKS[name], "")}
            for name, label in labels.items()
        ],
    }


class IssueEditView(SavingEditView):
    """Save content and nothing else, unfinished blocks too. An approved issue is locked until its approval is withdrawn."""

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.saving_as_draft = request.method == "POST"

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not self.locked_for_user:
            warn_of_other_editors(request, self.object, user=cast(User, request.user))
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    def get_lock(self) -> object:
        return find_issue_lock(self.object, request=self.request) or super().get_lock()

    def get_side_panels(self) -> MediaContainer:
        """Add the checks and the comments."""
        panels = [*super().get_side_panels()]
        if not self.expects_json_response:
            panels += [IssueChecksPanel(self.object, self.request), IssueCommentsPanel(self.object, self.request)]
        return MediaContainer(panels)

    def list_modes(self) -> list[Mode]:
        with with_kept_counts(self.request) as counted:
            modes = list_issue_modes(self.object)
        self.counted = counted["counted"]
        return modes

    @property
    def sender(self) -> str:
        return str(self.object.publication.from_name)

    @property
    def people_url(self) -> str:
        if not can_preview_people(self.request.user):
            return ""
        return reverse("newsletter_issue_people", args=[self.object.pk])

    def get_success_url(self) -> str:
        return overview_url(self.object)

    @cached_property
    def header_buttons(self) -> list[Button]:
        buttons = [HeaderButton(_("Overview and approval"), url=overview_url(self.object), icon_name="view")]
        if languages := self.object.publication.languages:
            url = reverse("newsletter_issue_translate", args=[self.object.pk, languages[0]])
            buttons.append(HeaderButton(_("Translate"), url=url, icon_name="globe"))
        if not self.locked_for_user:
            buttons += [
                HeaderButton(
                    label,
                    icon_name=f"nl-{name}",
                    icon_only=True,
                    priority=priority,
                    attrs={"data-nl-undo": name, "disabled": True},
                )
                for name, label, priority in (("undo", _("Undo"), 10), ("redo", _("Redo"), 20))
            ]
        return buttons


class IssueRevertView(RevisionsRevertMixin, IssueEditView):
    view_name = "revisions_revert"

    def get_success_message(self) -> str:
        moment = format_moment(self.revision.created_at, now=timezone.now())
        return _("“%(row)s” is again as it was on %(moment)s.") % {"row": self.object, "moment": moment}


class IssueRevisionPreview(PreviewRevisionView):
    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        def show(mode: str) -> HttpResponse:
            return show_mail_part(
                resolve_complete_content(self.revision_object), mode=mode or DEFAULT_MODE, request=request
            )

        return show_or_explain(show, request.GET.get("mode", ""), request=request)


def _make_limited_panel(name: str, **kwargs: object) -> FieldPanel:
    """Return the panel of a field. Its script says if the text is too long."""
    return FieldPanel(name, attrs={LIMIT_ATTRIBUTE: str(Issue.TEXT_LIMITS[name])}, **kwargs)


class IssueViewSet(DeskViewSet):
    model = Issue
    purpose = gettext_lazy(
        "An issue is one mail of a publication, made from your stories and events. You see it before it is sent."
    )
    icon = "mail"
    menu_label = gettext_lazy("Issues")
    menu_order = 100
    add_to_admin_menu = True
    base_url_path = "issues"
    copy_view_enabled = False
    index_view_class = IssueList
    edit_view_class = IssueEditView
    edit_template_name = "desk/editor.html"
    preview_on_edit_view_class = IssuePreview
    revisions_revert_view_class = IssueRevertView
    revisions_view_class = IssueRevisionPreview
    filterset_class = IssueFilters
    search_fields = ["subject", "publication__name"]
    list_per_page = 30
    list_display = [
        "__str__",
        Column("subject", label=gettext_lazy("Subject"), accessor="shown_subject"),
        StateColumn("state", label=gettext_lazy("State"), sort_key="state"),
        Column("due", label=gettext_lazy("Due or sent"), accessor=format_sent_or_due, sort_key="due_at"),
        Column("made_at", label=gettext_lazy("Created"), accessor=format_created, sort_key="made_at"),
    ]
    panels = [
        MultiFieldPanel(
            [
                _make_limited_panel("subject"),
                _make_limited_panel(
                    "preheader", help_text=gettext_lazy("The text that inboxes show after the subject.")
                ),
                TemplatePanel(get_context=inbox_panel_context, template="desk/panels/inbox.html"),
            ],
            heading=gettext_lazy("Inbox"),
        ),
        MultiFieldPanel(
            [FieldPanel("layout"), _make_limited_panel("headline"), FieldPanel("charitable")],
            heading=gettext_lazy("Layout and purpose"),
            classname="collapsed",
        ),
        FieldPanel("body", widget=BodyWidget()),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Issue]:
        return Issue.objects.select_related("publication", "slot").annotate(
            to_files=written_to_files(), sent_at=send_began()
        )


class SaveAndClose(SaveMenuItem):
    template_name = "desk/parts/save_and_close.html"


def name_save_button(items: list[ActionMenuItem], request: HttpRequest, context: dict[str, object]) -> None:
    """Give the button of an issue's editor a label that says what it does. Text is saved while it is typed."""
    if context["model"] is Issue:
        items[:] = [SaveAndClose(order=item.order) if type(item) is SaveMenuItem else item for item in items]
