"""Events in the desk: the list and the editor, which shows what is unclear about an event's location or time."""

import django_filters  # type: ignore[import-untyped]
from django.conf import settings
from django.contrib.admin.utils import label_for_field
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import EditView, SnippetViewSet

from newsletter.common.translation import translate
from newsletter.desk.content.choosers import EventChooser
from newsletter.desk.content.content_forms import EventForm
from newsletter.desk.content.event_text import format_start, label_location
from newsletter.desk.editor.voided_approvals import VoidApprovalsMixin
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.issues.corrections.correct import find_misinformed, find_obsolete_corrections
from newsletter.models import EventNotice, Source
from subscribers.desk.listing import HOME_BREADCRUMB, DeskList
from subscribers.desk.segments.rule_block_bases import TownInput


class EventFilters(WagtailFilterSet):
    when = django_filters.ChoiceFilter(
        label=gettext_lazy("When"),
        choices=[("ahead", gettext_lazy("Upcoming")), ("past", gettext_lazy("Past"))],
        method="filter_when",
    )
    unsure = django_filters.ChoiceFilter(
        label=gettext_lazy("Needs checking"),
        choices=[("yes", gettext_lazy("Time or location unclear"))],
        method="filter_unsure",
    )
    source = django_filters.ModelChoiceFilter(queryset=Source.objects.all())

    class Meta:
        model = EventNotice
        fields = ["source", "online", "cancelled"]

    def filter_when(self, rows: QuerySet[EventNotice], name: str, value: str) -> QuerySet[EventNotice]:
        now = timezone.now()
        return rows.filter(starts_at__gte=now) if value == "ahead" else rows.filter(starts_at__lt=now)

    def filter_unsure(self, rows: QuerySet[EventNotice], name: str, value: str) -> QuerySet[EventNotice]:
        return rows.exclude(note="")


class EventEditView(VoidApprovalsMixin, EditView):
    pass


def event_panel_context(event: EventNotice) -> dict[str, object]:
    edited = [label_for_field(name, EventNotice) for name in event.edited_fields]
    return {
        "row": event,
        "location": label_location(event),
        "edited": edited,
        "misinformed": find_misinformed(event, now=timezone.now()),
        "obsolete": find_obsolete_corrections(event),
    }


class EventViewSet(SnippetViewSet):
    model = EventNotice
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = DeskList
    icon = "calendar-alt"
    menu_label = gettext_lazy("Events")
    menu_order = 120
    add_to_admin_menu = True
    base_url_path = "events"
    chooser_viewset_class = EventChooser
    copy_view_enabled = False
    edit_view_class = EventEditView
    filterset_class = EventFilters
    search_fields = ["title", "place_text"]
    search_backend_name = None
    list_per_page = 30
    list_display = [
        "title",
        Column("starts_at", label=gettext_lazy("Starts"), accessor=format_start, sort_key="starts_at"),
        Column("place", label=gettext_lazy("Location"), accessor=label_location),
        Column("note", label=gettext_lazy("To check"), accessor=lambda event: translate(event.note), width="20%"),
        Column("source", label=gettext_lazy("Source"), sort_key="source__name"),
    ]
    edit_handler = ObjectList(
        [
            TemplatePanel(
                get_context=event_panel_context,
                template="desk/panels/event.html",
                heading=gettext_lazy("Source"),
            ),
            MultiFieldPanel(
                [FieldPanel("title"), FieldPanel("summary"), FieldPanel("url", heading=gettext_lazy("Web address"))],
                heading=gettext_lazy("Content"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]),
                    FieldRowPanel(
                        [
                            FieldPanel(
                                "zone",
                                heading=gettext_lazy("Time zone"),
                                help_text=gettext_lazy("The time zone of the event, such as America/Chicago."),
                            ),
                            FieldPanel("all_day"),
                            FieldPanel("day"),
                        ]
                    ),
                    FieldPanel("cancelled"),
                ],
                heading=gettext_lazy("When"),
                help_text=format_lazy(
                    gettext_lazy(
                        "Enter the start and end in the event’s time zone, which is below. A new event without a time zone"
                        " gets that of its town. If its town is unknown, we use the desk’s time zone ({zone})."
                    ),
                    zone=settings.TIME_ZONE,
                ),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("online"),
                    FieldPanel(
                        "place_text",
                        heading=gettext_lazy("Address"),
                        help_text=gettext_lazy("As people read it, such as “Town Hall, Leeds”."),
                    ),
                    FieldPanel(
                        "town",
                        widget=TownInput,
                        help_text=gettext_lazy(
                            "People near this town see the event. We find its location when you save."
                        ),
                    ),
                ],
                heading=gettext_lazy("Where"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel(
                        [
                            FieldPanel("region", help_text=gettext_lazy("ISO 3166-2, such as US-TX.")),
                            FieldPanel("country", help_text=gettext_lazy("Two letters, such as US.")),
                        ]
                    ),
                    FieldRowPanel([FieldPanel("latitude"), FieldPanel("longitude")]),
                ],
                heading=gettext_lazy("Advanced: exact location"),
                classname="collapsed",
                help_text=gettext_lazy(
                    "We fill these in from the town. People near the coordinates see the event. Without coordinates,"
                    " people in the region see it."
                ),
            ),
        ],
        base_form_class=EventForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventNotice]:
        past = Case(When(starts_at__lt=timezone.now(), then=1), default=0)
        return EventNotice.objects.select_related("source").annotate(past=past).order_by("past", "starts_at")
