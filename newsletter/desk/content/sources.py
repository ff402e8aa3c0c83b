"""Sources in the desk: where content comes from, how the last look went, and what was set aside and why."""

from typing import Any

from django.db.models import Count, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.snippets.views.snippets import SnippetViewSet

from newsletter.common.translation import translate
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.models import Source
from subscribers.desk.listing import HOME_BREADCRUMB, DateTimeColumn, DeskList, format_moment

MAX_SET_ASIDE_SHOWN = 50


def describe_health(source: Source) -> str:
    if source.failures:
        times = _("once") if source.failures == 1 else _("%(failures)s times in a row") % {"failures": source.failures}
        return _("Failed %(times)s, %(source)s: %(value)s") % {
            "times": times,
            "source": describe_last_success(source),
            "value": translate(source.error)[:160],
        }
    return _("Good") if source.last_success_at else _("Not looked at yet")


def describe_last_success(source: Source) -> str:
    return (
        _("last good on %(last_success_at)s")
        % {"last_success_at": format_moment(source.last_success_at, now=timezone.now())}
        if source.last_success_at
        else _("never good so far")
    )


def source_panel_context(source: Source) -> dict[str, Any]:
    entries = list(source.set_aside.all()[: MAX_SET_ASIDE_SHOWN + 1])
    return {
        "row": source,
        "health": describe_health(source),
        "entries": entries[:MAX_SET_ASIDE_SHOWN],
        "more": len(entries) > MAX_SET_ASIDE_SHOWN,
        "stories": source.stories.count(),
        "events": source.events.count(),
    }


class SourceViewSet(SnippetViewSet):
    model = Source
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = DeskList
    icon = "globe"
    menu_label = gettext_lazy("Sources")
    menu_order = 140
    add_to_admin_menu = True
    base_url_path = "sources"
    copy_view_enabled = False
    search_fields = ["name", "url"]
    search_backend_name = None
    list_filter = ["kind", "enabled"]
    list_display = [
        "name",
        Column("kind", label=gettext_lazy("Kind"), accessor="get_kind_display"),
        DateTimeColumn("looked_at", label=gettext_lazy("Last look"), sort_key="looked_at"),
        Column("health", label=gettext_lazy("How it went"), accessor=describe_health),
        Column("aside", label=gettext_lazy("Set aside"), sort_key="aside"),
        BooleanColumn("enabled", label=gettext_lazy("In use")),
    ]
    panels = [
        TemplatePanel(
            get_context=source_panel_context, template="desk/panels/source.html", heading=gettext_lazy("How it goes")
        ),
        MultiFieldPanel(
            [
                FieldPanel("name"),
                FieldPanel("kind"),
                FieldPanel("url", heading=gettext_lazy("Address")),
                FieldPanel("every_minutes", heading=gettext_lazy("Minutes between looks")),
                FieldPanel(
                    "enabled",
                    heading=gettext_lazy("In use"),
                    help_text=gettext_lazy("Its stories stay. Switched off, the source is not read any more."),
                ),
            ],
            heading=gettext_lazy("Where to look"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("language"), FieldPanel("region")]),
                FieldPanel("topics", widget=CheckboxSelectMultiple),
            ],
            heading=gettext_lazy("What its content is given"),
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return Source.objects.annotate(aside=Count("set_aside"))
