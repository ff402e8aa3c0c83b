"""The panels of a publication's editor. What few people need is under “Advanced”. Here are the archive's addresses too."""

from datetime import datetime

from django.conf import settings
from django.forms import CheckboxSelectMultiple, RadioSelect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, TitleFieldPanel

from newsletter.desk.publications.schedule_text import MONTHLY, NTH, WEEKLY, next_dates_context
from newsletter.desk.shell.panels import RULES, RequiredIfShownPanel, TemplatePanel, show_if
from newsletter.issues.archive.archived_issues import find_archived_sends, list_archived_issues
from newsletter.models import Issue, Publication


def schedule_panel_context(publication: Publication) -> dict[str, object]:
    return next_dates_context(publication, now=timezone.now())


def archive_panel_context(publication: Publication) -> dict[str, object] | None:
    """Return the addresses of the archive and its feed, `unlisted` if it is reached by link only, or None if it is off."""
    if publication.archive == Publication.Archive.OFF:
        return None
    if publication.archive != Publication.Archive.PUBLIC:
        return {"unlisted": True}
    site = settings.NEWSLETTER_SITE_URL
    return {
        "page": site + reverse("archive", args=[publication.slug]),
        "feed": site + reverse("archive_feed", args=[publication.slug]),
    }


def find_archive_url(issue: Issue, *, now: datetime) -> str:
    """Return the address of the issue's page in the archive, or ""."""
    if issue.publication.archive == Publication.Archive.OFF:
        return ""
    archived = list_archived_issues(list(find_archived_sends(issue.publication).filter(issue=issue)[:1]), at=now)
    return archived[0].url if archived else ""


BASIC_FIELDS = [
    TitleFieldPanel("name", targets=["slug"], classname="", placeholder=False),
    FieldPanel("brand", help_text=_("Its look, its postal address and its links.")),
    FieldPanel("language", help_text=_("For dates and for the fixed text of the email.")),
    FieldPanel("languages"),
    FieldPanel(
        "enabled",
        heading=_("In use"),
        help_text=_(
            "While this is off, no issue is drafted or sent. A second publication starts turned off: turn it on when its"
            " list and days are right."
        ),
    ),
]
AUDIENCE_FIELDS = [
    FieldPanel("mailing_list", heading=_("List"), help_text=_("Issues go to the people on this list.")),
    FieldPanel("segment", help_text=_("Leave empty to send to the whole list.")),
    FieldPanel("charitable"),
]
SENDER_FIELDS = [
    FieldRowPanel(
        [FieldPanel("from_name", heading=_("Sender name")), FieldPanel("from_email", heading=_("Sender address"))]
    ),
    FieldPanel("reply_to", heading=_("Reply-to address"), help_text=_("Leave empty to use the sender address.")),
    FieldPanel(
        "subject",
        help_text=_("{lead_headline} becomes the headline of the first story. Also: {publication}, {number}."),
    ),
    FieldPanel("intro", heading=_("Introduction")),
    FieldPanel("layout"),
]
SCHEDULE_FIELDS = [
    TemplatePanel(get_context=schedule_panel_context, template="desk/panels/schedule.html"),
    FieldPanel("rhythm"),
    RequiredIfShownPanel("weekdays", attrs=show_if("rhythm", WEEKLY)),
    FieldRowPanel([RequiredIfShownPanel("nth"), RequiredIfShownPanel("nth_day")], attrs=show_if("rhythm", NTH)),
    RequiredIfShownPanel("month_day", attrs=show_if("rhythm", MONTHLY)),
    FieldRowPanel([FieldPanel("at"), FieldPanel("zone", heading=_("Time zone"))]),
    FieldPanel("send_at", heading=_("When readers in other time zones get it"), widget=RadioSelect),
    FieldPanel("lead_hours", heading=_("Create the draft this many hours before sending")),
]
DIGEST_FIELDS = [
    FieldPanel("monthly_digest"),
    FieldRowPanel([FieldPanel("digest_day"), FieldPanel("digest_at")], attrs=show_if("monthly_digest", "on")),
]
APPROVAL_FIELDS = [
    FieldPanel(
        "approval",
        heading=_("Approval"),
        help_text=_(
            "An issue that is sent when due waits for approval all the same if staff wrote or edited part of it and "
            "somebody else must approve."
        ),
        widget=RadioSelect,
    ),
    FieldPanel("another_approves", heading=_("Somebody other than the author must approve")),
    FieldPanel("second_approval_above", heading=_("Second approver needed above (recipients)")),
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
    FieldPanel("interests", heading=_("What readers’ topics change"), widget=RadioSelect),
    FieldPanel("pinned_lead", attrs=show_if("interests", "first", "only")),
    FieldPanel("max_variants"),
    FieldPanel("sources", widget=CheckboxSelectMultiple),
    FieldPanel("consent_required", heading=_("Only stories with recorded consent")),
]
EVENT_FIELDS = [
    FieldRowPanel(
        [
            FieldPanel("events", heading=_("Maximum events"), help_text=_("0 shows no events.")),
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
PACE_FIELDS = [
    FieldPanel("priority"),
    FieldRowPanel([FieldPanel("quiet_from"), FieldPanel("quiet_until")]),
    FieldPanel("stale_hours", heading=_("Stop if late by (hours)")),
    FieldRowPanel(
        [
            FieldPanel("people_per_day", heading=_("Daily limit (recipients)")),
            FieldPanel("warm_up_from", heading=_("Domain warm-up starts on")),
        ]
    ),
    FieldPanel("gmail_pause"),
]
CANARY_FIELDS = [
    FieldPanel("canary", widget=RadioSelect),
    FieldPanel("canary_minutes", attrs=show_if("canary", "stop")),
    FieldPanel("canary_silence", widget=RadioSelect, attrs=show_if("canary", "stop")),
]
ACCOUNT_FIELDS = [
    FieldPanel("account"),
    FieldPanel("second_account"),
    FieldPanel("second_warm_up_from", heading=_("Warm-up of the second account’s domain starts on")),
]
ARCHIVE_FIELDS = [
    FieldPanel("archive", heading=_("Public archive")),
    TemplatePanel(get_context=archive_panel_context, template="desk/panels/archive.html"),
    FieldPanel("clicks", heading=_("Click tracking")),
]
ADVANCED_FIELDS = [
    FieldPanel(
        "slug",
        heading=_("Short name"),
        help_text=_("Used in web addresses. Do not change it once you have started sending."),
    ),
    FieldPanel(
        "schedule",
        heading=_("Custom schedule"),
        help_text=_(
            "Used if “How often” is “Custom schedule”. Five fields: minute, hour, day, month, weekday, such as"
            " 0 9 * * mon,thu."
        ),
    ),
    FieldPanel(
        "digest_schedule",
        heading=_("Custom schedule of the monthly digest"),
        help_text=_("Five fields, as above. It replaces the day and time if you change it here."),
    ),
]
PUBLICATION_PANELS = [
    MultiFieldPanel(BASIC_FIELDS, heading=_("Basics")),
    MultiFieldPanel(AUDIENCE_FIELDS, heading=_("Audience")),
    MultiFieldPanel(SENDER_FIELDS, heading=_("Sender and design")),
    MultiFieldPanel(SCHEDULE_FIELDS, heading=_("Schedule"), attrs=RULES),
    MultiFieldPanel(APPROVAL_FIELDS, heading=_("Approval")),
    MultiFieldPanel(STORY_FIELDS, heading=_("Stories"), attrs=RULES),
    MultiFieldPanel(EVENT_FIELDS, heading=_("Events")),
    MultiFieldPanel(DIGEST_FIELDS, heading=_("Monthly digest"), attrs=RULES),
    MultiFieldPanel(PACE_FIELDS, heading=_("Quiet hours and sending limits"), classname="collapsed"),
    MultiFieldPanel(CANARY_FIELDS, heading=_("Canary mailboxes"), classname="collapsed", attrs=RULES),
    MultiFieldPanel(ACCOUNT_FIELDS, heading=_("Provider accounts"), classname="collapsed"),
    MultiFieldPanel(ARCHIVE_FIELDS, heading=_("Public archive and clicks"), classname="collapsed"),
    MultiFieldPanel(ADVANCED_FIELDS, heading=_("Advanced"), classname="collapsed"),
]
