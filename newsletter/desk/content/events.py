"""Events in the desk: the list, and the editor with the questions about an event's location or time."""

from typing import Any

import django_filters  # type: ignore[import-untyped]
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import CreateView, EditView

from newsletter.content.ingesting.home_location import find_home_zone
from newsletter.content.ingesting.translated_events import DIFFERENCE_CHECKED, NOTE_CHECKED
from newsletter.desk.content.add_translation import AddTranslationMixin
from newsletter.desk.content.choosers import EventChooser
from newsletter.desk.content.event_form import LOCATED_FIELDS, EventForm, show_moments
from newsletter.desk.content.event_text import format_start, label_location
from newsletter.desk.content.wall_clock import label_zone
from newsletter.desk.shell.delete_shown import DeleteShown, describe_return
from newsletter.desk.shell.panels import TemplatePanel, label_edited_fields
from newsletter.issues.corrections.correct import find_misinformed, find_obsolete_corrections
from newsletter.models import EventNotice, Source
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.listing import DeskViewSet
from subscribers.desk.segments.rule_block_bases import TownInput
from subscribers.people.location_labels import translate_note


class EventFilters(WagtailFilterSet):
    when = django_filters.ChoiceFilter(
        label=gettext_lazy("When"),
        choices=[("ahead", gettext_lazy("Upcoming")), ("past", gettext_lazy("Past"))],
        method="filter_when",
    )
    unsure = django_filters.ChoiceFilter(
        label=gettext_lazy("Needs checking"),
        choices=[("yes", gettext_lazy("Something is unclear"))],
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
        return rows.filter(pk__in=EventNotice.objects.with_open_note().values("pk"))


class EventCreateView(AddTranslationMixin, AddRowMixin, CreateView):
    add_title = gettext_lazy("Add an event")
    copied_fields = ("zone", "all_day", "day", "online", "place_text", *LOCATED_FIELDS)

    def copy_facts(self, original: EventNotice) -> dict[str, Any]:
        return {**super().copy_facts(original), **show_moments(original)}

    def get_success_message(self, instance: EventNotice) -> str:
        return add_location(super().get_success_message(instance), instance)


class EventEditView(EditEffectsMixin, VersionedEditMixin, EditView):
    def get_success_message(self) -> str:
        return add_announcement(add_location(super().get_success_message() or "", self.object), self.object)


def add_announcement(message: str, event: EventNotice) -> str:
    """Return the message with a link to announce the change, if people got other details and no correction says so."""
    groups = [one for one in find_misinformed(event, now=timezone.now()) if one.correction is None]
    if not groups:
        return message
    people = sum(one.people for one in groups if not one.to_files)
    sentence = ngettext(
        "%(people)s person has other details in their email.",
        "%(people)s people have other details in their email.",
        people,
    )
    return format_html(
        '{} {} <a href="{}">{}</a>',
        message,
        sentence % {"people": intcomma(people)} if people else "",
        reverse("newsletter_event_announce", args=[event.pk]),
        gettext("Announce the change …"),
    )


def add_location(message: str, event: EventNotice) -> str:
    """Return the message with the town that was found for the event, or what keeps it from being found."""
    if event.place_question and not event.online and not event.cancelled:
        return format_html(
            '{} {} <a href="{}#nl-place-{}">{}</a>',
            message,
            ask_for_location(event),
            reverse("newsletter_event_places"),
            event.pk,
            gettext("Choose"),
        )
    if event.online or event.cancelled or event.latitude is None:
        return message
    return f"{message} " + gettext("It is in %(location)s.") % {"location": label_location(event)}


def ask_for_location(event: EventNotice) -> str:
    """Return the question which of several towns it is, or that no town was found."""
    if event.place_question.get("candidates"):
        asked = gettext("Which %(town)s? Until you choose, nobody nearby sees it.")
        return asked % {"town": event.town or event.place_text}
    unknown = gettext("%(note)s Until you choose a town, nobody nearby sees it.")
    return (unknown % {"note": translate_note(event.place_question.get("note", ""))}).strip()


def describe_event_zone() -> str:
    """Return which time zone the times of an event are in: its town's, else the publications' if they have the same."""
    if zone := find_home_zone():
        text = gettext("Local time at the event. We take the time zone from its town, else %(zone)s.")
        return text % {"zone": label_zone(zone)}
    return gettext("Local time at the event. We take the time zone from its town; if it is unknown, choose one.")


def event_panel_context(event: EventNotice) -> dict[str, object]:
    """Return the facts of the event as it is stored: ``event`` has the values of a form that may not have been saved."""
    event = EventNotice.objects.select_related("source").get(pk=event.pk)
    return {
        "row": event,
        "note": translate_note(event.note),
        "is_checked": not event.open_note,
        "has_open_zone": EventNotice.objects.filter(pk=event.pk).with_open_zone().exists(),
        "location": label_location(event),
        "edited": label_edited_fields(event),
        "misinformed": find_misinformed(event, now=timezone.now()),
        "obsolete": find_obsolete_corrections(event, now=timezone.now()),
    }


class DeleteEvent(DeleteShown):
    reason = gettext_lazy("Nothing was deleted. A correction tells readers about this event.")
    advice = gettext_lazy("Mark the event as cancelled instead.")

    def list_consequences(self) -> list[str]:
        returns = describe_return(self.object.source)
        instead = [gettext("If it does not take place, mark it as cancelled instead.")] if returns else []
        return [*super().list_consequences(), *returns, *instead]


class EventViewSet(DeskViewSet):
    model = EventNotice
    purpose = gettext_lazy("Events come from your sources, or you add them here. Each reader sees those nearby.")
    icon = "calendar-alt"
    menu_label = gettext_lazy("Events")
    menu_order = 120
    add_to_admin_menu = True
    base_url_path = "events"
    chooser_viewset_class = EventChooser
    copy_view_enabled = False
    add_view_class = EventCreateView
    delete_view_class = DeleteEvent
    edit_view_class = EventEditView
    filterset_class = EventFilters
    search_fields = ["title", "place_text"]
    list_per_page = 30
    list_display = [
        "title",
        Column("starts_at", label=gettext_lazy("Starts"), accessor=format_start, sort_key="starts_at"),
        Column("place", label=gettext_lazy("Location"), accessor=label_location),
        Column(
            "note", label=gettext_lazy("To check"), accessor=lambda event: translate_note(event.open_note), width="20%"
        ),
        Column("source", label=gettext_lazy("Source"), sort_key="source__name"),
    ]
    edit_handler = ObjectList(
        [
            TemplatePanel(
                get_context=event_panel_context,
                template="desk/panels/event.html",
                heading=gettext_lazy("Origin"),
            ),
            FieldPanel(DIFFERENCE_CHECKED, icon="warning"),
            FieldPanel(NOTE_CHECKED, icon="warning"),
            MultiFieldPanel(
                [
                    FieldPanel("title"),
                    FieldPanel(
                        "summary",
                        help_text=gettext_lazy(
                            "Shown if the event has a block of its own. A list of events shows title, time and place."
                        ),
                    ),
                    FieldPanel("url", heading=gettext_lazy("Web address")),
                    FieldRowPanel([FieldPanel("language"), FieldPanel("translation_of")]),
                ],
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
                            ),
                            FieldPanel("all_day"),
                            FieldPanel("day"),
                        ]
                    ),
                    FieldPanel("cancelled"),
                ],
                heading=gettext_lazy("When"),
                help_text=lazy(describe_event_zone, str)(),
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
