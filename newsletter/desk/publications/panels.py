"""What a publication's editor asks, in the order in which somebody thinks of it, in words."""

from typing import Any

from django.forms import CheckboxSelectMultiple, Select
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel

from newsletter.desk.publications.archive_text import archive_panel_context
from newsletter.desk.publications.schedule_text import next_dates_context
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.models import Publication


def schedule_panel_context(publication: Publication) -> dict[str, Any]:
    return next_dates_context(publication, now=timezone.now())


BASIC_FIELDS = [
    FieldPanel("name"),
    FieldPanel("slug", heading=_("Short name"), help_text=_("Stands in addresses. Best left alone once it is in use.")),
    FieldPanel("language", help_text=_("Of the dates and of the mail’s own words.")),
    FieldPanel("enabled", heading=_("In use"), help_text=_("Switched off, it assembles and sends nothing.")),
]
AUDIENCE_FIELDS = [
    FieldPanel("mailing_list", heading=_("List"), widget=Select),
    FieldPanel("segment", help_text=_("Empty: the whole list."), widget=Select),
]
SCHEDULE_FIELDS = [
    TemplatePanel(get_context=schedule_panel_context, template="desk/panels/schedule.html"),
    FieldPanel("rhythm"),
    FieldRowPanel([FieldPanel("weekdays"), FieldPanel("month_day")]),
    FieldRowPanel([FieldPanel("at"), FieldPanel("zone", heading=_("Time zone"))]),
    FieldPanel("schedule", heading=_("Another schedule")),
    FieldPanel("lead_hours", heading=_("Time to look at it (hours)")),
    FieldRowPanel([FieldPanel("monthly_digest"), FieldPanel("digest_schedule", heading=_("When the digest goes out"))]),
]
APPROVAL_FIELDS = [
    FieldPanel("approval", heading=_("Approval")),
    FieldRowPanel(
        [
            FieldPanel("another_approves", heading=_("Another person approves")),
            FieldPanel("second_approval_above", heading=_("Two approve above")),
        ]
    ),
]
PACE_FIELDS = [
    FieldRowPanel([FieldPanel("quiet_from"), FieldPanel("quiet_until")]),
    FieldPanel("stale_hours", heading=_("Too late after (hours)")),
    FieldRowPanel(
        [
            FieldPanel("people_per_day", heading=_("Most people a day")),
            FieldPanel("warm_up_from", heading=_("Begin slowly on")),
        ]
    ),
]
LOOK_FIELDS = [
    FieldRowPanel([FieldPanel("from_name", heading=_("From")), FieldPanel("from_email", heading=_("From address"))]),
    FieldPanel("reply_to", heading=_("Answers go to")),
    FieldPanel("subject"),
    FieldPanel("intro", heading=_("Opening words")),
    FieldPanel("layout"),
    FieldPanel("brand", widget=Select),
]
STORY_FIELDS = [
    FieldRowPanel(
        [
            FieldPanel("stories", heading=_("Most stories")),
            FieldPanel("days_back", heading=_("Days back")),
        ]
    ),
    FieldPanel("topics", widget=CheckboxSelectMultiple),
    FieldPanel("sources", widget=CheckboxSelectMultiple),
    FieldPanel("consent_required", heading=_("Only with a recorded consent")),
]
EVENT_FIELDS = [
    FieldRowPanel(
        [
            FieldPanel("events", heading=_("Most events")),
            FieldPanel("days_ahead", heading=_("Days ahead")),
            FieldPanel("radius_km", heading=_("Near means, in km"), help_text=_("Readers may choose otherwise.")),
        ]
    ),
    FieldPanel("host_url", heading=_("Page on hosting an event")),
]
PUBLICATION_PANELS = [
    MultiFieldPanel(BASIC_FIELDS, heading=_("What it is")),
    MultiFieldPanel(AUDIENCE_FIELDS, heading=_("Who gets it")),
    MultiFieldPanel(SCHEDULE_FIELDS, heading=_("When it goes out")),
    MultiFieldPanel(APPROVAL_FIELDS, heading=_("Who says yes")),
    MultiFieldPanel(LOOK_FIELDS, heading=_("How it looks")),
    MultiFieldPanel(STORY_FIELDS, heading=_("Which stories")),
    MultiFieldPanel(EVENT_FIELDS, heading=_("Which events")),
    MultiFieldPanel(PACE_FIELDS, heading=_("Quiet hours and pace")),
    MultiFieldPanel(
        [
            FieldPanel("archive"),
            TemplatePanel(get_context=archive_panel_context, template="desk/panels/archive.html"),
            FieldPanel("clicks", heading=_("Counting clicks")),
        ],
        heading=_("On the web"),
    ),
]
