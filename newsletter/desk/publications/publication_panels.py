"""What a publication's editor asks, in the order in which somebody thinks of it, in words."""

from typing import Any

from django.forms import CheckboxSelectMultiple, Select
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel

from newsletter.desk.publications.archive_text import say_archive
from newsletter.desk.publications.schedule_text import say_dates
from newsletter.desk.shell.panels import WordsPanel
from newsletter.models import Publication


def say_next_dates(publication: Publication) -> dict[str, Any]:
    return say_dates(publication, now=timezone.now())


WHAT = [
    FieldPanel("name"),
    FieldPanel("slug", heading=_("Short name"), help_text=_("Stands in addresses. Best left alone once it is in use.")),
    FieldPanel("language", help_text=_("Of the dates and of the mail’s own words.")),
    FieldPanel("enabled", heading=_("In use"), help_text=_("Switched off, it assembles and sends nothing.")),
]
WHO = [
    FieldPanel("mailing_list", heading=_("List"), widget=Select),
    FieldPanel("segment", help_text=_("Empty: the whole list."), widget=Select),
]
WHEN = [
    WordsPanel(say=say_next_dates, template="desk/panels/schedule.html"),
    FieldPanel("rhythm"),
    FieldRowPanel([FieldPanel("weekdays"), FieldPanel("month_day")]),
    FieldRowPanel([FieldPanel("at"), FieldPanel("zone", heading=_("Time zone"))]),
    FieldPanel("schedule", heading=_("Another schedule")),
    FieldPanel("lead_hours", heading=_("Time to look at it (hours)")),
    FieldRowPanel([FieldPanel("monthly_digest"), FieldPanel("digest_schedule", heading=_("When the digest goes out"))]),
]
YES = [
    FieldPanel("approval", heading=_("Approval")),
    FieldRowPanel(
        [
            FieldPanel("another_approves", heading=_("Another person approves")),
            FieldPanel("second_approval_above", heading=_("Two approve above")),
        ]
    ),
]
PACE = [
    FieldRowPanel([FieldPanel("quiet_from"), FieldPanel("quiet_until")]),
    FieldPanel("stale_hours", heading=_("Too late after (hours)")),
    FieldRowPanel(
        [
            FieldPanel("people_per_day", heading=_("Most people a day")),
            FieldPanel("warm_up_from", heading=_("Begin slowly on")),
        ]
    ),
]
LOOK = [
    FieldRowPanel([FieldPanel("from_name", heading=_("From")), FieldPanel("from_email", heading=_("From address"))]),
    FieldPanel("reply_to", heading=_("Answers go to")),
    FieldPanel("subject"),
    FieldPanel("intro", heading=_("Opening words")),
    FieldPanel("layout"),
    FieldPanel("brand", widget=Select),
]
STORIES = [
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
EVENTS = [
    FieldRowPanel(
        [
            FieldPanel("events", heading=_("Most events")),
            FieldPanel("days_ahead", heading=_("Days ahead")),
            FieldPanel("radius_km", heading=_("Near means, in km"), help_text=_("Readers may choose otherwise.")),
        ]
    ),
    FieldPanel("host_url", heading=_("Page on hosting an event")),
]
PARTS = [
    MultiFieldPanel(WHAT, heading=_("What it is")),
    MultiFieldPanel(WHO, heading=_("Who gets it")),
    MultiFieldPanel(WHEN, heading=_("When it goes out")),
    MultiFieldPanel(YES, heading=_("Who says yes")),
    MultiFieldPanel(LOOK, heading=_("How it looks")),
    MultiFieldPanel(STORIES, heading=_("Which stories")),
    MultiFieldPanel(EVENTS, heading=_("Which events")),
    MultiFieldPanel(PACE, heading=_("Quiet hours and pace")),
    MultiFieldPanel(
        [
            FieldPanel("archive"),
            WordsPanel(say=say_archive, template="desk/panels/archive.html"),
            FieldPanel("clicks", heading=_("Counting clicks")),
        ],
        heading=_("On the web"),
    ),
]
