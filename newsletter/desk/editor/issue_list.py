"""The desk's list of issues: its filters, the column of states, and the buttons above it."""

import django_filters  # type: ignore[import-untyped]
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import Button, HeaderButton

from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.shell.labels import STATE_CHOICES, filter_by_state_label, label_issue_state
from newsletter.issues.snapshot.revisions import SEALED_STATES
from newsletter.models import Issue, Publication
from subscribers.desk.listing import DeskList


class IssueFilters(WagtailFilterSet):
    publication = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Publication"), queryset=Publication.objects.order_by("name")
    )
    state = django_filters.ChoiceFilter(choices=STATE_CHOICES, label=gettext_lazy("State"), method="with_state")

    class Meta:
        model = Issue
        fields = ["publication", "state"]

    def with_state(self, issues: QuerySet[Issue], name: str, code: str) -> QuerySet[Issue]:
        return filter_by_state_label(issues, code)


class StateColumn(Column):
    """The issue's state. The list's query annotates `written_to_files`."""

    cell_template_name = "desk/cells/state.html"

    def get_cell_context_data(self, instance: Issue, parent_context: object) -> dict[str, object]:
        state = label_issue_state(instance, to_files=getattr(instance, "to_files", False))
        return {**super().get_cell_context_data(instance, parent_context), "state": state}


class IssueList(DeskList):
    default_ordering = "-made_at"

    @property
    def first_step(self) -> Button | None:
        return next(iter(self.header_buttons), None)

    @cached_property
    def header_buttons(self) -> list[Button]:
        if not self.user_has_permission("change"):
            return []
        return [
            HeaderButton(_("New issue"), url=reverse("newsletter_issue_new"), icon_name="plus"),
            HeaderButton(_("Saved content"), url=reverse("newsletter_saved"), icon_name="copy"),
        ]

    def get_edit_url(self, instance: Issue) -> str | None:
        return overview_url(instance)

    def get_list_more_buttons(self, instance: Issue) -> list[Button]:
        edit = reverse(self.edit_url_name, args=[instance.pk])
        buttons = [Button(_("Overview"), url=overview_url(instance), icon_name="view", priority=5)]
        if self.user_has_permission("change") and instance.state not in SEALED_STATES:
            buttons.append(Button(_("Edit"), url=edit, icon_name="edit", priority=10))
        if self.user_has_permission("change") and instance.kind not in (Issue.Kind.CORRECTION, Issue.Kind.WELCOME):
            copy = f"{reverse('newsletter_issue_new')}?copy={instance.pk}"
            buttons.append(Button(_("Duplicate"), url=copy, icon_name="copy", priority=15))
        return buttons
