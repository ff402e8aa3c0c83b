"""Publications in the desk: the list, the editor, and the preview of the next issue."""

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import ObjectList
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.side_panels import ChecksSidePanel, PreviewSidePanel
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.widgets.button import HeaderButton
from wagtail.snippets.views.snippets import CreateView, PreviewOnCreateView, SnippetViewSetGroup

from newsletter.common.archiving import Uses
from newsletter.common.errors import NotReady
from newsletter.common.schedule import check_schedule, due_after
from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import IframePreview, PreviewedEditView
from newsletter.desk.publications.archive_page import (
    ArchivePublication,
    describe_subscribers,
    describe_without_digest,
)
from newsletter.desk.publications.brands import BrandViewSet
from newsletter.desk.publications.forms import PublicationForm
from newsletter.desk.publications.panels import PUBLICATION_PANELS
from newsletter.desk.publications.schedule_text import describe_schedule
from newsletter.issues.approval.reopen_uncovered import reopen_uncovered_issues, restore_covered_issues
from newsletter.issues.assembly.digest import count_without_digest
from newsletter.issues.assembly.first_draft import apply_draft, make_draft
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Issue, Publication
from subscribers.desk.editing.archiving import ArchivableEditMixin, ArchivableList, ArchivableViewSet
from subscribers.desk.editing.duplicating import DuplicateView
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin

_APPROVAL_RULES = frozenset({"approval", "another_approves", "second_approval_above"})


class PublicationCreateView(AddRowMixin, CreateView):
    """The form of a new publication. It has no issue to preview yet."""

    add_title = gettext_lazy("Add a publication")

    def get_side_panels(self) -> MediaContainer:
        panels = super().get_side_panels()
        return MediaContainer([panel for panel in panels if not isinstance(panel, PreviewSidePanel | ChecksSidePanel)])


class PublicationList(ArchivableList):
    def get_list_more_buttons(self, instance: Publication) -> list[MenuItem]:
        buttons: list[MenuItem] = super().get_list_more_buttons(instance)
        if not self.archived and _may_open_welcome(self.request.user):
            buttons.append(MenuItem(_("Welcome"), url=_welcome_url(instance), icon_name="mail", priority=12))
        return buttons


def _may_open_welcome(user: User | AnonymousUser) -> bool:
    return user.has_perm("newsletter.change_issue")


def _welcome_url(publication: Publication) -> str:
    return reverse("newsletter_welcome", args=[publication.pk])


class PublicationEditView(ArchivableEditMixin, EditEffectsMixin, VersionedEditMixin, PreviewedEditView):
    def list_modes(self) -> list[Mode]:
        return [Mode(DEFAULT_MODE, _("Next issue"))]

    def describe_value(self, row: Publication, name: str) -> str:
        return describe_schedule(row) if name == "schedule" else super().describe_value(row, name)

    def form_valid(self, form: PublicationForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        is_saved = response.status_code == HTTPStatus.FOUND
        before = form.initial
        made_digest = before["enabled"] and before["monthly_digest"]
        if is_saved and made_digest and (people := count_without_digest(cast("int", before["mailing_list"]))):
            messages.warning(self.request, describe_without_digest(people))
        if is_saved and not _APPROVAL_RULES.isdisjoint(form.changed_data):
            self._review_approvals()
        return response

    def _review_approvals(self) -> None:
        """Say at once which issues the new rules of approval affect. A job would find them some minutes later."""
        now = timezone.now()
        for issue in reopen_uncovered_issues(now=now, publication=self.object):
            text = _("%(issue)s was approved, which is not enough by the new rules. It waits for approval again.")
            messages.warning(self.request, text % {"issue": issue})
        for issue in restore_covered_issues(now=now, publication=self.object):
            text = _("%(issue)s has enough approvals by the new rules, so it is approved.")
            messages.success(self.request, text % {"issue": issue})

    @cached_property
    def header_buttons(self) -> list[Any]:
        welcome = HeaderButton(_("Welcome"), url=_welcome_url(self.object), icon_name="mail")
        return [*super().header_buttons, *([welcome] if _may_open_welcome(self.request.user) else [])]


class PublicationPreview(IframePreview):
    """Show the issue that the form's settings would make next."""

    def show(self, mode: str) -> HttpResponse:
        publication: Publication = self.object
        issue = find_next_issue(publication, now=timezone.now())
        return show_mail_part(resolve_complete_content(issue), mode=mode or DEFAULT_MODE, request=self.request)


class NewPublicationPreview(IframePreview, PreviewOnCreateView):
    def show(self, mode: str) -> HttpResponse:
        raise NotReady(_("A new publication has no issue yet. Save it to see its first issue here."))


class DuplicatePublication(DuplicateView, PublicationCreateView):
    """The form of a copy. It is turned off, so that nothing goes out before somebody looked at it."""

    changes: ClassVar[dict[str, object]] = {"enabled": False, "archived": False}


class DeletePublication(RefuseUsedDelete):
    """Delete a publication without issues. One with issues stays on record, and is archived instead."""

    reason = gettext_lazy("Nothing was deleted. Reports and the archive name the publication of each issue.")
    advice = gettext_lazy(
        "To end it, archive it: it drafts and sends nothing, and readers can still open its sent issues."
    )

    def list_consequences(self) -> list[str]:
        return describe_subscribers(self.object)

    def refuse(self, request: HttpRequest, uses: list[Uses]) -> HttpResponse:
        if not any(use.model is Issue for use in uses):
            self.reason = gettext_lazy(
                "Nothing was deleted. We keep on record what it did, also if it never had an issue."
            )
            self.advice = gettext_lazy("To end it, archive it: it drafts and sends nothing.")
        return super().refuse(request, uses)


class PublicationViewSet(ArchivableViewSet):
    model = Publication
    icon = "mail"
    base_url_path = "publications"
    purpose = gettext_lazy(
        "A publication is a newsletter that comes out again and again: who gets it, who sends it, when, and what is in it."
    )
    index_view_class = PublicationList
    archive_page_class = ArchivePublication
    copy_view_class = DuplicatePublication
    delete_view_class = DeletePublication
    add_view_class = PublicationCreateView
    preview_on_add_view_class = NewPublicationPreview
    edit_view_class = PublicationEditView
    edit_template_name = "desk/editor.html"
    preview_on_edit_view_class = PublicationPreview
    search_fields = ["name", "slug"]
    list_display = [
        "name",
        Column("schedule", label=gettext_lazy("Schedule"), accessor=describe_schedule),
        Column("mailing_list", label=gettext_lazy("List")),
        Column("segment", label=gettext_lazy("Segment")),
        Column("approval", label=gettext_lazy("Approval"), accessor="get_approval_display"),
        BooleanColumn("enabled", label=gettext_lazy("In use")),
    ]
    edit_handler = ObjectList(PUBLICATION_PANELS, base_form_class=PublicationForm)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        return Publication.objects.select_related("mailing_list", "segment", "brand")


class PublicationGroup(SnippetViewSetGroup):
    items = (PublicationViewSet, BrandViewSet)
    menu_label = gettext_lazy("Publications")
    menu_icon = "folder-open-inverse"
    menu_order = 150


def find_next_issue(publication: Publication, *, now: datetime) -> Issue:
    """Return the open issue of the publication, or an unsaved one for the next date.

    Raises BadSchedule if there is no next date, NotReady if the issue is empty.
    """
    waiting = publication.issues.filter(kind=Issue.Kind.ISSUE, state__in=Issue.UNSENT_STATES)
    issue = waiting.select_related("slot").order_by("-number").first() if publication.pk else None
    if issue is not None:
        issue.publication = publication
        if not issue.body:
            raise NotReady(
                "%(issue)s is the next issue, and it is still empty. Add a block to it to see it here.", issue=issue
            )
        return issue
    return make_unsaved_issue(publication, now=now)


def make_unsaved_issue(publication: Publication, *, now: datetime) -> Issue:
    """Assemble an issue for the next date from the content of now, without saving it. Raises NotReady if it is empty."""
    schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    due = next(due_after(now, schedule=schedule, zone=publication.zone))
    issue = Issue(publication=publication, public_id=secrets.token_hex(12), made_at=now, due_at=due.at)
    draft = make_draft(issue=issue, now=now)
    if draft.skip_reason:
        raise NotReady("%(reason)s With these settings the next issue would be empty.", reason=draft.skip_reason)
    apply_draft(issue=issue, draft=draft)
    return issue
