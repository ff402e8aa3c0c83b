"""“Who gets what”: the audience of an issue by mail and by region, who gets nothing and why, and the oddest five."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from newsletter.common.errors import DomainError
from newsletter.desk.home.charts import Point, draw_bars
from newsletter.desk.issues.audience_summary import summarise_audience
from newsletter.desk.issues.edge_cases import find_edge_cases
from newsletter.desk.issues.finding_locations import list_gaps
from newsletter.desk.issues.overview import ISSUES, IssuePermissionMixin
from newsletter.desk.issues.variant_groups import find_variant_groups, resolve_complete_content
from newsletter.desk.preview.person import can_preview_people

MAX_VARIANTS_SHOWN = 100


class IssueAudience(IssuePermissionMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/issue_audience.html"
    header_icon = "group"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return _("Who gets what")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("wagtailsnippets_newsletter_issue:list"), "label": _("Issues")},
            {"url": reverse("newsletter_issue_overview", args=[self.issue.pk]), "label": str(self.issue)},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        now = timezone.now()
        context["issue"] = self.issue
        try:
            content = resolve_complete_content(self.issue)
        except (DomainError, OSError) as error:
            return {**context, "missing": list_gaps(self.issue, error)}
        readers = find_variant_groups(self.issue, content=content)
        audience = summarise_audience(self.issue, content=content, now=now)
        bars = [Point(label=region.name, value=region.people) for region in audience.regions if region.people]
        return {
            **context,
            "audience": audience,
            "regions": draw_bars(bars, title=_("By region"), summary="", unit=_("People")) if bars else "",
            "readers": readers[:MAX_VARIANTS_SHOWN],
            "more_readers": max(len(readers) - MAX_VARIANTS_SHOWN, 0),
            "mails": len(readers),
            "odd": find_edge_cases(self.issue, readers=readers, now=now) if audience.recipients else [],
            "can_look": can_preview_people(self.request.user),
        }
