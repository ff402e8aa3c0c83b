"""Publications: their brand, sender, schedule and rules, and the due slots of their schedules."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin

from newsletter.common.message_fields import MessageField
from newsletter.models.pictures import Picture
from newsletter.models.sources import Source
from newsletter.models.states import one_of
from newsletter.providers.sender_names import find_impersonated_domain, has_address
from subscribers.models import MailingList, Segment, Topic


class Brand(PreviewableMixin, models.Model):
    """The organisation's look, address and links."""

    class Masthead(models.TextChoices):
        PLAIN = "plain", gettext_lazy("The name in the middle, on the page")
        BAND = "band", gettext_lazy("A band in the brand's colour")
        RULE = "rule", gettext_lazy("The name at the side, with a line under it")

    slug = models.SlugField(gettext_lazy("slug"), unique=True, default="default")
    name = models.CharField(gettext_lazy("name"), max_length=120)
    logo = models.ForeignKey(
        Picture, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    logo_dark = models.ForeignKey(
        Picture, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    colour = models.CharField(gettext_lazy("colour"), max_length=7, default="#1f4e5f")
    accent = models.CharField(gettext_lazy("accent"), max_length=7, default="#b3541e")
    background = models.CharField(gettext_lazy("background"), max_length=7, default="#f4f1ec")
    font = models.CharField(gettext_lazy("font"), max_length=200, default="Georgia, 'Times New Roman', serif")
    heading_font = models.CharField(
        gettext_lazy("heading font"), max_length=200, blank=True, help_text=gettext_lazy("Empty: the font of the text.")
    )
    radius = models.PositiveSmallIntegerField(
        gettext_lazy("round corners"),
        default=8,
        validators=[MaxValueValidator(24)],
        help_text=gettext_lazy("In pixels; 0 is square."),
    )
    masthead = models.CharField(
        gettext_lazy("masthead"), max_length=5, choices=Masthead.choices, default=Masthead.PLAIN
    )
    postal_address = models.CharField(
        gettext_lazy("postal address"),
        max_length=300,
        blank=True,
        help_text=gettext_lazy("The law asks for it in every issue."),
    )
    website = models.URLField(gettext_lazy("website"), max_length=2000, blank=True)
    donate_url = models.URLField(gettext_lazy("donate url"), max_length=2000, blank=True)
    donor_portal_url = models.URLField(gettext_lazy("donor portal url"), max_length=2000, blank=True)
    social = models.JSONField(
        gettext_lazy("social"), default=dict, blank=True, help_text=gettext_lazy('{"facebook": "https://…"}')
    )

    class Meta:
        verbose_name = gettext_lazy("brand")
        verbose_name_plural = gettext_lazy("brands")
        constraints = [one_of("brand_masthead", "masthead", ["plain", "band", "rule"])]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError if the name, which sender names include, looks like somebody else's domain."""
        check_sender_name(self.name, field="name", own=[urlsplit(self.website).hostname or ""])


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
        READERS = "readers", gettext_lazy("Counts, and who clicked which link, for subscribers who agreed")

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
        gettext_lazy("lead hours"), default=24, help_text=gettext_lazy("Assembled this many hours before it is due.")
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
    radius_km = models.PositiveIntegerField(gettext_lazy("radius km"), default=80)
    days_back = models.PositiveIntegerField(
        gettext_lazy("days back"),
        default=30,
        help_text=gettext_lazy(
            "How old a story may be when it is new here, in days. This holds for the first issue too."
        ),
    )
    waiting_days = models.PositiveIntegerField(
        gettext_lazy("waiting days"),
        default=90,
        help_text=gettext_lazy("How many days a story waits for room in an issue. After that it is too old."),
    )
    days_ahead = models.PositiveIntegerField(
        gettext_lazy("days ahead"), default=30, help_text=gettext_lazy("How far ahead events may be.")
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
        help_text=gettext_lazy(
            "A send that is later than this pauses, and staff decide whether it is still useful. 0: never."
        ),
    )
    people_per_day = models.PositiveIntegerField(
        gettext_lazy("people per day"),
        null=True,
        blank=True,
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
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError if mailboxes would treat the sender's name as a forgery."""
        check_sender_name(self.from_name, field="from_name", own=[domain_of(self.from_email), domain_of(self.reply_to)])


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


def check_sender_name(name: str, *, field: str, own: Sequence[str]) -> None:
    """Raise ValidationError for ``field`` if the name looks like an address or another's domain. ``own`` are own domains."""
    if has_address(name):
        raise ValidationError(
            {field: _("The name contains @, < or >, which mailboxes treat as a forgery. Use a plain name.")}
        )
    domain = find_impersonated_domain(name, own=own)
    if domain:
        message = _(
            "“%(domain)s” is not the domain of your sender's address, so mailboxes treat the name as a forgery. "
            "Remove it, or write a space after the dot if it is no domain."
        )
        raise ValidationError({field: message % {"domain": domain}})


def domain_of(email: str) -> str:
    """Return the domain of an address in its readable form."""
    domain = email.rpartition("@")[2].lower()
    try:
        return domain.encode("ascii").decode("idna") if "xn--" in domain else domain
    except UnicodeError:
        return domain
