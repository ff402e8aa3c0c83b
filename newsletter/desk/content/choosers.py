"""The choosers of stories, events and appeals.

In the editor of an issue, a column says why each story or event is in the issue or not. The Referer header names the issue.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from django.db.models import F, Model, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import Column
from wagtail.images.widgets import AdminImageChooser
from wagtail.snippets.views.chooser import ChooseResultsView, ChooseView, SnippetChosenView

from newsletter.common.translation import translate
from newsletter.desk.content.event_text import format_start
from newsletter.desk.shell.search_fields import ChooserSearch
from newsletter.issues.assembly.selection import find_event_exclusion_reason
from newsletter.issues.assembly.selection_reasons import explain_candidates
from newsletter.issues.visible.event_locations import remove_repeated_parts
from newsletter.models import EventNotice, Issue, Story
from subscribers.desk.choosers import NoncedChooserViewSet, NoncedScriptMixin
from subscribers.desk.listing import DateTimeColumn

_EDITOR_PATH = re.compile(r"/issues/edit/(\d+)/")


def find_edited_issue(request: HttpRequest) -> Issue | None:
    """Return the issue in whose editor the chooser was opened, or None if it was opened elsewhere."""
    match = _EDITOR_PATH.search(urlsplit(request.headers.get("Referer", "")).path)
    return Issue.objects.select_related("slot__publication").filter(pk=int(match[1])).first() if match else None


def find_candidate_reasons(issue: Issue | None, *, kind: str) -> dict[int, tuple[bool, str]]:
    """Return, by the candidate's id, if it is in the issue as it is now, and the reason."""
    reasons = explain_candidates(issue, now=timezone.now()) if issue else []
    return {reason.id: (reason.chosen, translate(reason.why)) for reason in reasons if reason.kind == kind}


class _ReasonColumnMixin:
    """Add the column with the reason to both views of a chooser."""

    kind = ""
    request: HttpRequest
    ordering: tuple[str | OrderBy, ...] | None = None

    @cached_property
    def issue(self) -> Issue | None:
        return find_edited_issue(self.request)

    @cached_property
    def reasons(self) -> dict[int, tuple[bool, str]]:
        return find_candidate_reasons(self.issue, kind=self.kind)

    def label_not_considered(self, row: Any) -> str:
        """Return why a row that is no candidate of the issue was not considered."""
        return _("left out: too old")

    def label_reason(self, row: Model) -> str:
        if row.pk not in self.reasons:
            return self.label_not_considered(row)
        chosen, why = self.reasons[row.pk]
        return (_("in: %(why)s") if chosen else "%(why)s") % {"why": why}

    @property
    def columns(self) -> list[Column]:
        columns = [*super().columns, *self.extra_columns]  # type: ignore[misc]
        if self.issue and self.issue.kind != Issue.Kind.CORRECTION:
            columns.append(Column("why", label=_("In this issue"), accessor=self.label_reason))
        return columns

    @property
    def extra_columns(self) -> list[Column]:
        return []


class _StorySearch(ChooserSearch):
    fields_to_search = ("title", "teaser")


class _EventSearch(ChooserSearch):
    fields_to_search = ("title", "place_text")


class _AppealSearch(ChooserSearch):
    fields_to_search = ("headline", "text")


class _StoryChoices(_ReasonColumnMixin):
    kind = "story"
    filter_form_class = _StorySearch
    ordering = (F("published_at").desc(nulls_last=True), "-seen_at", "-pk")

    def get_object_list(self) -> QuerySet[Story]:
        usable = Story.objects.showable().filter(same_as__isnull=True)
        return usable.select_related("source")

    @property
    def extra_columns(self) -> list[Column]:
        return [
            DateTimeColumn("published_at", label=_("Published")),
            Column("source", label=_("Source")),
        ]


def _label_written_location(event: EventNotice) -> str:
    return _("online") if event.online else remove_repeated_parts(event.place_text)


class _EventChoices(_ReasonColumnMixin):
    kind = "event"
    filter_form_class = _EventSearch
    ordering = ("starts_at", "pk")

    def get_object_list(self) -> QuerySet[EventNotice]:
        return EventNotice.objects.filter(starts_at__gte=timezone.now(), cancelled=False)

    @property
    def extra_columns(self) -> list[Column]:
        return [
            Column("when", label=_("When"), accessor=format_start),
            Column("where", label=_("Where"), accessor=_label_written_location),
        ]

    def label_not_considered(self, row: EventNotice) -> str:
        if self.issue is None:
            return ""
        publication, due_at = self.issue.publication, self.issue.due_at or timezone.now()
        why = find_event_exclusion_reason(row, publication=publication, due_at=due_at)
        return _("left out: %(why)s") % {"why": translate(why)} if why else ""


class OwnTextsChosen(SnippetChosenView):
    """Give the form the chosen row's own texts, as `OwnTextsChooserBlock` does for a row that was chosen before."""

    def get_chosen_response_data(self, item: Story | EventNotice) -> dict[str, object]:
        return {**super().get_chosen_response_data(item), "own": item.own_texts}


class ChooseStory(_StoryChoices, ChooseView):
    page_title = gettext_lazy("Choose a story")


class ChooseStoryResults(_StoryChoices, ChooseResultsView):
    pass


class ChooseEvent(_EventChoices, ChooseView):
    page_title = gettext_lazy("Choose an event")


class ChooseEventResults(_EventChoices, ChooseResultsView):
    pass


class ChooseAppeal(ChooseView):
    filter_form_class = _AppealSearch


class ChooseAppealResults(ChooseResultsView):
    filter_form_class = _AppealSearch


class NoncedImageChooser(NoncedScriptMixin, AdminImageChooser):
    pass


class AppealChooser(NoncedChooserViewSet):
    choose_view_class = ChooseAppeal
    choose_results_view_class = ChooseAppealResults


class StoryChooser(NoncedChooserViewSet):
    choose_view_class = ChooseStory
    choose_results_view_class = ChooseStoryResults
    chosen_view_class = OwnTextsChosen


class EventChooser(NoncedChooserViewSet):
    choose_view_class = ChooseEvent
    choose_results_view_class = ChooseEventResults
    chosen_view_class = OwnTextsChosen
