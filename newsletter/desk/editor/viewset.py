"""Issues in the desk: the list, and the editor of subject, preheader and body. It never changes an issue's state."""

from typing import Any, TypedDict

import django_filters  # type: ignore[import-untyped]
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.models import Revision
from wagtail.snippets.views.snippets import PreviewRevisionView, SnippetViewSet

from newsletter.desk.editor.check_panel import IssueChecksPanel
from newsletter.desk.editor.preview import DEFAULT_MODE, IssuePreview, list_issue_modes, show_mail_part
from newsletter.desk.editor.sealed_lock import SEALED_STATES, SealedLock
from newsletter.desk.editor.voided_approvals import void_if_stale, warn_about_voided
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import PreviewedEditView, show_or_explain
from newsletter.desk.preview.person import can_preview_people
from newsletter.desk.publications.slot_text import format_slot_short
from newsletter.desk.shell.columns import StateColumn
from newsletter.desk.shell.labels import STATE_CHOICES
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.models import Issue
from subscribers.desk.listing import HOME_BREADCRUMB, DateTimeColumn, DeskList

OUT_OF_DATE_MESSAGE = gettext_lazy(
    "Somebody else saved this issue after you opened it. Copy your text, reload the page and enter it again."
)
MAX_SUBJECT_LENGTH, MIN_PREHEADER_LENGTH, MAX_PREHEADER_LENGTH = 60, 40, 110
"""Characters that most inboxes show. They are advice, not limits."""


class PersonalField(TypedDict):
    name: str
    label: str
    fallback: str


class InboxPanelContext(TypedDict):
    """The context of desk/panels/inbox.html. A script reads subject and preheader from the form."""

    sender: str
    max_subject: int
    min_preheader: int
    max_preheader: int
    fields: list[PersonalField]


def inbox_panel_context(issue: Issue) -> InboxPanelContext:
    return {
        "sender": issue.publication.from_name,
        "max_subject": MAX_SUBJECT_LENGTH,
        "min_preheader": MIN_PREHEADER_LENGTH,
        "max_preheader": MAX_PREHEADER_LENGTH,
        "fields": [
            {"name": "first_name", "label": _("First name"), "fallback": _("friend")},
            {"name": "name", "label": _("Whole name"), "fallback": _("friend")},
            {"name": "city", "label": _("Town"), "fallback": _("your town")},
            {"name": "region", "label": _("Region"), "fallback": _("your region")},
        ],
    }


class IssueFilters(WagtailFilterSet):
    state = django_filters.ChoiceFilter(choices=STATE_CHOICES, label=gettext_lazy("State"))

    class Meta:
        model = Issue
        fields = ["publication", "state"]


class IssueList(DeskList):
    default_ordering = "-made_at"

    @cached_property
    def header_buttons(self) -> list[Button]:
        if not self.user_has_permission("change"):
            return []
        return [HeaderButton(_("New issue"), url=reverse("newsletter_issue_new"), icon_name="plus")]

    def get_edit_url(self, instance: Issue) -> str | None:
        return overview_url(instance)

    def get_list_more_buttons(self, instance: Issue) -> list[Button]:
        edit = reverse(self.edit_url_name, args=[instance.pk])
        buttons = [Button(_("Overview"), url=overview_url(instance), icon_name="view", priority=5)]
        if self.user_has_permission("change") and instance.state not in SEALED_STATES:
            buttons.append(Button(_("Edit"), url=edit, icon_name="edit", priority=10))
        return buttons


class IssueEditView(PreviewedEditView):
    """Save content and nothing else. A change after approval withdraws the approval."""

    def get_lock(self) -> Any:
        return SealedLock(self.object) if self.object.state in SEALED_STATES else super().get_lock()

    def get_side_panels(self) -> MediaContainer:
        """Add the checks."""
        return MediaContainer([*super().get_side_panels(), IssueChecksPanel(self.object, self.request)])

    def list_modes(self) -> list[Mode]:
        return list_issue_modes(self.object)

    @property
    def people_url(self) -> str:
        if not can_preview_people(self.request.user):
            return ""
        return reverse("newsletter_issue_people", args=[self.object.pk])

    @cached_property
    def overwrite_revision(self) -> Revision | None:
        """Return the revision that an autosave may overwrite: never one whose content somebody approved."""
        revision: Revision | None = super().overwrite_revision
        if revision and self.object.approvals.filter(at__gte=revision.created_at).exists():
            return None
        return revision

    @cached_property
    def is_out_of_date(self) -> bool:
        """Return True if somebody else saved meanwhile. The form may not know the user's own latest autosave."""
        if not super().is_out_of_date or self.expects_json_response:
            return bool(super().is_out_of_date)
        loaded = parse_datetime(self.request.POST.get("loaded_revision_created_at", ""))
        if loaded is None:
            return True
        return bool(self.object.revisions.filter(created_at__gt=loaded).exclude(user=self.request.user).exists())

    def is_valid(self, form: object) -> bool:
        if self.is_out_of_date:
            self.produced_error_code = "invalid_revision"
            self.produced_error_message = OUT_OF_DATE_MESSAGE
            return False
        return bool(super().is_valid(form))

    def form_valid(self, form: object) -> HttpResponse:
        """Save the form and withdraw a stale approval, in one transaction."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            stale = void_if_stale(issue=self.object, now=timezone.now())
        if stale and not self.expects_json_response:
            warn_about_voided(self.request, [self.object])
        return response

    def get_success_url(self) -> str:
        return overview_url(self.object)

    @cached_property
    def header_buttons(self) -> list[Button]:
        return [HeaderButton(_("Overview and approval"), url=overview_url(self.object), icon_name="view")]


class IssueRevisionPreview(PreviewRevisionView):
    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> Any:
        def show(mode: str) -> Any:
            return show_mail_part(
                resolve_complete_content(self.revision_object), mode=mode or DEFAULT_MODE, request=request
            )

        return show_or_explain(show, request.GET.get("mode", ""), request=request)


class IssueViewSet(SnippetViewSet):
    model = Issue
    breadcrumbs_items = HOME_BREADCRUMB
    icon = "mail"
    menu_label = gettext_lazy("Issues")
    menu_order = 100
    add_to_admin_menu = True
    base_url_path = "issues"
    copy_view_enabled = False
    index_view_class = IssueList
    edit_view_class = IssueEditView
    preview_on_edit_view_class = IssuePreview
    revisions_view_class = IssueRevisionPreview
    filterset_class = IssueFilters
    search_fields = ["subject", "publication__name"]
    search_backend_name = None
    list_per_page = 30
    list_display = [
        "__str__",
        Column("reference", label=gettext_lazy("Reference")),
        Column("subject", label=gettext_lazy("Subject"), accessor="sample_subject"),
        StateColumn("state", label=gettext_lazy("State"), sort_key="state"),
        Column("due", label=gettext_lazy("Due"), accessor=format_slot_short, sort_key="due_at"),
        DateTimeColumn("made_at", label=gettext_lazy("Created"), sort_key="made_at"),
    ]
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("subject"),
                FieldPanel("preheader", help_text=gettext_lazy("The text that inboxes show after the subject.")),
                TemplatePanel(get_context=inbox_panel_context, template="desk/panels/inbox.html"),
            ],
            heading=gettext_lazy("Inbox"),
        ),
        MultiFieldPanel([FieldPanel("layout"), FieldPanel("headline")], heading=gettext_lazy("Layout")),
        FieldPanel("body"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Issue]:
        return Issue.objects.select_related("publication", "slot")
