"""The panels of a publication's editor."""

from django.forms import CheckboxSelectMultiple, Select
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel

from newsletter.desk.publications.archive_text import archive_panel_context
from newsletter.desk.publications.schedule_text import next_dates_context
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.models import Publication


def schedule_panel_context(publication: Publication) -> dict[str, object]:
    return next_dates_context(publication, now=timezone.now())


BASIC_FIELDS = [
    FieldPanel("name"),
    FieldPanel(
        "slug",
        heading=_("Short name"),
        help_text=_("Used in web addresses. Do not change it once you have started sending."),
    ),
    FieldPanel("language", help_text=_("For dates and for the fixed text of the email.")),
    FieldPanel("enabled", heading=_("In use"), help_text=_("If you turn this off, no issue is drafted or sent.")),
]
AUDIENCE_FIELDS = [
    FieldPanel("mailing_list", heading=_("List"), widget=Select),
    FieldPanel("segment", help_text=_("Leave empty to send to the whole list."), widget=Select),
]
SCHEDULE_FIELDS = [
    TemplatePanel(get_context=schedule_panel_context, template="desk/panels/schedule.html"),
    FieldPanel("rhythm"),
    FieldRowPanel([FieldPanel("weekdays"), FieldPanel("month_day")]),
    FieldRowPanel([FieldPanel("at"), FieldPanel("zone", heading=_("Time zone"))]),
    FieldPanel("schedule", heading=_("Custom schedule")),
    FieldPanel("lead_hours", heading=_("Create the draft this many hours before sending")),
    FieldRowPanel([FieldPanel("monthly_digest"), FieldPanel("digest_schedule", heading=_("Digest schedule"))]),
]
APPROVAL_FIELDS = [
    FieldPanel("approval", heading=_("Approval")),
    FieldRowPanel(
        [
            FieldPanel("another_approves", heading=_("Somebody other than the author must approve")),
            FieldPanel("second_approval_above", heading=_("Second approver needed above (recipients)")),
        ]
    ),
]
PACE_FIELDS = [
    FieldRowPanel([FieldPanel("quiet_from"), FieldPanel("quiet_until")]),
    FieldPanel("stale_hours", heading=_("Stop if late by (hours)")),
    FieldRowPanel(
        [
            FieldPanel("people_per_day", heading=_("Daily limit (recipients)")),
            FieldPanel("warm_up_from", heading=_("Domain warm-up starts on")),
        ]
    ),
]
LOOK_FIELDS = [
    FieldRowPanel(
        [FieldPanel("from_name", heading=_("Sender name")), FieldPanel("from_email", heading=_("Sender address"))]
    ),
    FieldPanel("reply_to", heading=_("Reply-to address")),
    FieldPanel("subject"),
    FieldPanel("intro", heading=_("Introduction")),
    FieldPanel("layout"),
    FieldPanel("brand", widget=Select),
]
STORY_FIELDS = [
    FieldRowPanel(
        [
            FieldPanel("stories", heading=_("Maximum stories")),
            FieldPanel("days_back", heading=_("Stories from the last (days)")),
            FieldPanel("waiting_days", heading=_("Stories wait for room (days)")),
        ]
    ),
    FieldPanel("topics", widget=CheckboxSelectMultiple),
    FieldPanel("sources", widget=CheckboxSelectMultiple),
    FieldPanel("consent_required", heading=_("Only stories with recorded consent")),
]
EVENT_FIELDS = [
    FieldRowPanel(
        [
            FieldPanel("events", heading=_("Maximum events")),
            FieldPanel("days_ahead", heading=_("Events in the next (days)")),
            FieldPanel(
                "radius_km",
                heading=_("Distance that counts as near (km)"),
                help_text=_("Subscribers can choose another distance."),
            ),
        ]
    ),
    FieldPanel("host_url", heading=_("Page about hosting an event")),
]
PUBLICATION_PANELS = [
    MultiFieldPanel(BASIC_FIELDS, heading=_("Basics")),
    MultiFieldPanel(AUDIENCE_FIELDS, heading=_("Audience")),
    MultiFieldPanel(SCHEDULE_FIELDS, heading=_("Schedule")),
    MultiFieldPanel(APPROVAL_FIELDS, heading=_("Approval")),
    MultiFieldPanel(LOOK_FIELDS, heading=_("Sender and design")),
    MultiFieldPanel(STORY_FIELDS, heading=_("Stories")),
    MultiFieldPanel(EVENT_FIELDS, heading=_("Events")),
    MultiFieldPanel(PACE_FIELDS, heading=_("Quiet hours and sending limits")),
    MultiFieldPanel(
        [
            FieldPanel("archive"),
            TemplatePanel(get_context=archive_panel_context, template="desk/panels/archive.html"),
            FieldPanel("clicks", heading=_("Click tracking")),
        ],
        heading=_("Archive and clicks"),
    ),
]
