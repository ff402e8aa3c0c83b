"""Publications: their sender, schedule and rules, and the due slots of their schedules."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin

from newsletter.common.message_fields import MessageField
from newsletter.models.brands import Brand, check_sender_name, domain_of
from newsletter.models.sources import Source
from newsletter.models.states import one_of
from subscribers.models import MailingList, Segment, Topic


class Layout(models.TextChoices):
    """The layouts of ``templates/email/layouts``."""

    LETTER = "letter", gettext_lazy("Letter: a greeting, a lead story, and what follows")
    DIGEST = "digest", gettext_lazy("Digest: what is in it, then many things in short")
    ANNOUNCEMENT = "announcement", gettext_lazy("Announcement: one piece of news under its own headline")
    EVENT_NOTICE = "event_notice", gettext_lazy("Event notice: one day, large, and all about it")
    APPEAL = "appeal", gettext_lazy("Appeal: one request in the brand's colour")


class Publication(PreviewableMixin, models.Model):
    """One recurring newsletter. The schedule is five cron fields of wall-clock time in ``zone``."""

    class ApprovalPolicy(models.TextChoices):
        APPROVE = "approve", gettext_lazy("A named person approves each issue")
        AUTO = "auto", gettext_lazy("Sent when due unless held")

    class Archive(models.TextChoices):
        OFF = "off", gettext_lazy("No archive")
        UNLISTED = (
            "unlisted",
            gettext_lazy("Only for people with the link; search engines are asked not to list it"),
        )
        PUBLIC = "public", gettext_lazy("For everybody, with a feed")

    class Clicks(models.TextChoices):
        OFF = "off", gettext_lazy("Clicks are not counted")
        COUNTS = "counts", gettext_lazy("Anonymous counts per link")
        READERS = "readers", gettext_lazy("Anonymous counts per link (counts by person have no effect yet)")

    slug = models.SlugField(gettext_lazy("slug"), unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)
    brand = models.ForeignKey(Brand, verbose_name=gettext_lazy("brand"), on_delete=models.PROTECT)
    mailing_list = models.ForeignKey(MailingList, verbose_name=gettext_lazy("mailing list"), on_delete=models.PROTECT)
    segment = models.ForeignKey(
        Segment, verbose_name=gettext_lazy("segment"), on_delete=models.PROTECT, null=True, blank=True
    )
    from_name = models.CharField(gettext_lazy("from name"), max_length=100)
    from_email = models.EmailField(gettext_lazy("from email"))
    reply_to = models.EmailField(gettext_lazy("reply to"), blank=True)
    subject = models.CharField(
        gettext_lazy("subject"),
        max_length=200,
        default="{lead_headline}",
        help_text=gettext_lazy("{lead_headline} stands for the first story."),
    )
    schedule = models.CharField(
        gettext_lazy("schedule"),
        max_length=60,
        help_text=gettext_lazy("Minute, hour, day, month, weekday: 0 9 * * thu"),
    )
    zone = models.CharField(gettext_lazy("zone"), max_length=60, default="UTC")
    lead_hours = models.PositiveIntegerField(
        gettext_lazy("lead hours"),
        default=24,
        validators=[MaxValueValidator(24 * 14)],
    )
    approval = models.CharField(
        gettext_lazy("approval"), max_length=8, choices=ApprovalPolicy.choices, default=ApprovalPolicy.APPROVE
    )
    another_approves = models.BooleanField(
        gettext_lazy("another approves"),
        null=True,
        blank=True,
        default=None,
        help_text=gettext_lazy(
            "A person who edits an issue, or content that it shows, cannot approve it; somebody else must. "
            "Unless you choose, this is on if two or more people may approve."
        ),
    )
    second_approval_above = models.PositiveIntegerField(
        gettext_lazy("second approval above"),
        null=True,
        blank=True,
        help_text=gettext_lazy("An issue that goes to more people needs two approvals. Empty: one is enough."),
    )
    clicks = models.CharField(gettext_lazy("clicks"), max_length=7, choices=Clicks.choices, default=Clicks.OFF)
    stories = models.PositiveSmallIntegerField(gettext_lazy("stories"), default=5, validators=[MaxValueValidator(20)])
    events = models.PositiveSmallIntegerField(gettext_lazy("events"), default=4, validators=[MaxValueValidator(12)])
    radius_km = models.PositiveIntegerField(
        gettext_lazy("radius km"), default=80, validators=[MaxValueValidator(1_000)]
    )
    days_back = models.PositiveIntegerField(
        gettext_lazy("days back"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3_650)],
        help_text=gettext_lazy(
            "How old a story may be when it is new here, in days. This holds for the first issue too."
        ),
    )
    waiting_days = models.PositiveIntegerField(
        gettext_lazy("waiting days"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3_650)],
        help_text=gettext_lazy("How many days a story waits for room in an issue. After that it is too old."),
    )
    days_ahead = models.PositiveIntegerField(
        gettext_lazy("days ahead"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3_650)],
        help_text=gettext_lazy("How far ahead events may be."),
    )
    topics = models.ManyToManyField(
        Topic, verbose_name=gettext_lazy("topics"), blank=True, help_text=gettext_lazy("None chosen: all.")
    )
    sources = models.ManyToManyField(
        Source, verbose_name=gettext_lazy("sources"), blank=True, help_text=gettext_lazy("None chosen: all.")
    )
    intro = models.TextField(
        gettext_lazy("intro"),
        blank=True,
        help_text=gettext_lazy('Opens each issue. May hold merge fields: Dear {{ first_name | default:"friend" }},'),
    )
    host_url = models.URLField(
        gettext_lazy("host url"),
        max_length=2000,
        blank=True,
        help_text=gettext_lazy("Where recipients with no event near them learn to host one."),
    )
    language = models.CharField(gettext_lazy("language"), max_length=12, default="en")
    layout = models.CharField(
        gettext_lazy("layout"),
        max_length=12,
        choices=Layout.choices,
        default=Layout.LETTER,
        help_text=gettext_lazy("How its issues are laid out."),
    )
    quiet_from = models.TimeField(
        gettext_lazy("quiet from"),
        null=True,
        blank=True,
        help_text=gettext_lazy("No mail leaves from this time of day …"),
    )
    quiet_until = models.TimeField(
        gettext_lazy("quiet until"),
        null=True,
        blank=True,
        help_text=gettext_lazy("… until this one. A send goes on then."),
    )
    stale_hours = models.PositiveIntegerField(
        gettext_lazy("stale hours"),
        default=48,
        validators=[MaxValueValidator(24 * 60)],
        help_text=gettext_lazy("Stop and ask if sending is later than this. Enter 0 to always send."),
    )
    people_per_day = models.PositiveIntegerField(
        gettext_lazy("people per day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=gettext_lazy("At most so many people a day; the rest follow on the next day."),
    )
    warm_up_from = models.DateField(
        gettext_lazy("warm up from"),
        null=True,
        blank=True,
        help_text=gettext_lazy("A new sending domain starts with 50 people on this day and more each day after."),
    )
    monthly_digest = models.BooleanField(
        gettext_lazy("monthly digest"),
        default=True,
        help_text=gettext_lazy("Once a month, for readers who chose it: the stories of the month in one mail."),
    )
    digest_schedule = models.CharField(
        gettext_lazy("digest schedule"),
        max_length=60,
        default="0 9 1 * *",
        help_text=gettext_lazy("When it goes out. Minute, hour, day, month, weekday."),
    )
    consent_required = models.BooleanField(
        gettext_lazy("consent required"),
        default=False,
        help_text=gettext_lazy("No story without a recorded consent, even if it is not marked as about a person."),
    )
    archive = models.CharField(gettext_lazy("archive"), max_length=8, choices=Archive.choices, default=Archive.OFF)
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)
    archived = models.BooleanField(gettext_lazy("archived"), default=False, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = gettext_lazy("publication")
        verbose_name_plural = gettext_lazy("publications")
        ordering = ["name"]
        constraints = [
            one_of("publication_layout", "layout", Layout.values),
            one_of("publication_approval", "approval", ["approve", "auto"]),
            one_of("publication_archive", "archive", ["off", "unlisted", "public"]),
            one_of("publication_clicks", "clicks", ["off", "counts", "readers"]),
            models.CheckConstraint(
                condition=models.Q(archived=False) | models.Q(enabled=False), name="publication_archived_is_off"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError if the sender's name looks like a forgery, or if the publication uses what is archived."""
        check_sender_name(self.from_name, field="from_name", own=[domain_of(self.from_email), domain_of(self.reply_to)])
        if self.archived and self.enabled:
            raise ValidationError({"enabled": _("This publication is archived. Bring it back first.")})
        for field, id_of in (("mailing_list", self.mailing_list_id), ("segment", self.segment_id)):
            if id_of and not self.archived and getattr(self, field).archived:
                archived = _("“%(name)s” is archived. Bring it back first, or choose another.")
                raise ValidationError({field: archived % {"name": getattr(self, field)}})


class Slot(models.Model):
    """One due time. ``due_local`` is wall-clock time without offset, so an hour that comes twice in autumn is one slot.

    ``period`` is the month (``YYYY-MM``) in which a digest is due. The database allows one digest a month.
    """

    class Kind(models.TextChoices):
        ISSUE = "issue", gettext_lazy("Issue")
        DIGEST = "digest", gettext_lazy("Digest")

    class State(models.TextChoices):
        DUE = "due", gettext_lazy("Due")
        ASSEMBLED = "assembled", gettext_lazy("Assembled")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        MISSED = "missed", gettext_lazy("Missed")

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="slots")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ISSUE)
    due_local = models.CharField(max_length=16)
    period = models.CharField(max_length=7, blank=True, default="")
    due_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    reason = MessageField(blank=True)
    made_at = models.DateTimeField()
    assembled_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "kind", "due_local"], name="slot_once"),
            models.UniqueConstraint(
                fields=["publication", "period"], condition=models.Q(kind="digest"), name="one_digest_a_month"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="issue", period="") | models.Q(kind="digest") & ~models.Q(period=""),
                name="slot_kind_and_period",
            ),
            one_of("slot_state", "state", ["due", "assembled", "skipped", "missed"]),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id} {self.due_local}"
