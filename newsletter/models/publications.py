"""Publications: their sender, schedule and rules."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin

from newsletter.common.fields.web_address import WebAddressField
from newsletter.models.brands import Brand, Layout, check_sender_name, domain_of
from newsletter.models.content.further_languages import check_further_languages
from newsletter.models.content.sources import Source
from newsletter.models.sending.publication_accounts import DeliverabilityChoice, PublicationAccounts
from newsletter.models.states import one_of
from subscribers.models import MailingList, Segment, Topic


class Publication(PublicationAccounts, DeliverabilityChoice, PreviewableMixin, models.Model):
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

    class Interests(models.TextChoices):
        OFF = "off", gettext_lazy("Everybody gets the same stories")
        FIRST = "first", gettext_lazy("Stories of a reader’s topics come first")
        ONLY = "only", gettext_lazy("Readers get only stories of their topics")

    class SendAt(models.TextChoices):
        SLOT = "slot", gettext_lazy("Everybody at the same moment")
        LOCAL = "local", gettext_lazy("Each reader at this time of day where they live")

    class Priority(models.TextChoices):
        """The order in which publications get the room that a person has in 7 days."""

        ALWAYS = "always", gettext_lazy("Always sent, such as a legal notice")
        HIGH = "high", gettext_lazy("High: others leave room for it")
        NORMAL = "normal", gettext_lazy("Normal")
        LOW = "low", gettext_lazy("Low: it leaves room for all others")

    slug = models.SlugField(gettext_lazy("slug"), unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)
    brand = models.ForeignKey(Brand, verbose_name=gettext_lazy("brand"), on_delete=models.PROTECT)
    mailing_list = models.ForeignKey(MailingList, verbose_name=gettext_lazy("mailing list"), on_delete=models.PROTECT)
    segment = models.ForeignKey(
        Segment, verbose_name=gettext_lazy("segment"), on_delete=models.PROTECT, null=True, blank=True
    )
    from_name = models.CharField(gettext_lazy("sender name"), max_length=100)
    from_email = models.EmailField(gettext_lazy("sender address"))
    reply_to = models.EmailField(gettext_lazy("reply to"), blank=True)
    subject = models.CharField(
        gettext_lazy("subject"),
        max_length=200,
        default="{lead_headline}",
        help_text=gettext_lazy("{lead_headline} is replaced by the title of the first story."),
    )
    schedule = models.CharField(
        gettext_lazy("schedule"),
        max_length=60,
        help_text=gettext_lazy("Minute, hour, day, month, weekday: 0 9 * * thu"),
    )
    zone = models.CharField(gettext_lazy("zone"), max_length=60, default="UTC")
    send_at = models.CharField(
        gettext_lazy("send at"),
        max_length=5,
        choices=SendAt.choices,
        default=SendAt.SLOT,
        help_text=gettext_lazy(
            "A reader’s place decides the time zone, else your import, else the publication. Readers in the east get it "
            "first, so drafts are ready earlier. Corrections, and what you send by “Send now”, go to everybody at once."
        ),
    )
    lead_hours = models.PositiveIntegerField(
        gettext_lazy("lead hours"), default=24, validators=[MaxValueValidator(24 * 14)]
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
    clicks = models.CharField(gettext_lazy("clicks"), max_length=6, choices=Clicks.choices, default=Clicks.OFF)
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
    interests = models.CharField(
        gettext_lazy("interests"),
        max_length=5,
        choices=Interests.choices,
        default=Interests.OFF,
        help_text=gettext_lazy(
            "Readers who chose no topic get every story. A story without a topic is for everybody. People are asked for their "
            "topics only if they count."
        ),
    )
    pinned_lead = models.BooleanField(
        gettext_lazy("the lead story is for everybody"),
        default=False,
        help_text=gettext_lazy("It comes first, whatever a reader’s topics are."),
    )
    max_variants = models.PositiveIntegerField(
        gettext_lazy("maximum versions"),
        default=400,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=gettext_lazy(
            "An issue never has more. If topics, languages, places and blocks would make more, the versions with the fewest "
            "people are merged: first their topics count less, then their place."
        ),
    )
    sources = models.ManyToManyField(
        Source, verbose_name=gettext_lazy("sources"), blank=True, help_text=gettext_lazy("None chosen: all.")
    )
    intro = models.TextField(
        gettext_lazy("intro"),
        blank=True,
        help_text=gettext_lazy(
            'Opens each issue. It can contain personal fields: Dear {{ first_name | default:"friend" }},'
        ),
    )
    host_url = WebAddressField(
        gettext_lazy("host url"),
        max_length=2000,
        blank=True,
        help_text=gettext_lazy("Where recipients with no event near them learn to host one."),
    )
    language = models.CharField(gettext_lazy("language"), max_length=12, default="en")
    languages = models.JSONField(
        gettext_lazy("further languages"),
        default=list,
        blank=True,
        help_text=gettext_lazy(
            "Readers of these languages get the texts that you translate, and the rest in the language above."
        ),
    )
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
        help_text=gettext_lazy("No mail is sent from this time of day …"),
    )
    quiet_until = models.TimeField(
        gettext_lazy("quiet until"),
        null=True,
        blank=True,
        help_text=gettext_lazy(
            "… until this one. Then a send continues. If readers get issues by their own clock, these are hours of that clock."
        ),
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
        help_text=gettext_lazy("Maximum number of recipients per day. The rest get it on the following days."),
    )
    priority = models.CharField(
        gettext_lazy("priority"),
        max_length=6,
        choices=Priority.choices,
        default=Priority.NORMAL,
        help_text=gettext_lazy("It counts if the number of mails for one person in 7 days is limited."),
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
    charitable = models.BooleanField(
        gettext_lazy("only for our charitable purposes"),
        default=True,
        help_text=gettext_lazy(
            "Turn this off if its issues also sell or promote something else, such as a shop. People covered only by the UK’s "
            "charitable soft opt-in do not get them then."
        ),
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
            one_of("publication_send_at", "send_at", ["slot", "local"]),
            one_of("publication_approval", "approval", ["approve", "auto"]),
            one_of("publication_archive", "archive", ["off", "unlisted", "public"]),
            one_of("publication_priority", "priority", ["always", "high", "normal", "low"]),
            one_of("publication_clicks", "clicks", ["off", "counts"]),
            one_of("publication_interests", "interests", ["off", "first", "only"]),
            one_of("publication_canary", "canary", ["off", "watch", "stop"]),
            one_of("publication_canary_silence", "canary_silence", ["go_on", "pause"]),
            models.CheckConstraint(condition=~models.Q(account=""), name="publication_has_account"),
            models.CheckConstraint(
                condition=~models.Q(second_account=models.F("account")), name="publication_accounts_differ"
            ),
            models.CheckConstraint(
                condition=models.Q(archived=False) | models.Q(enabled=False), name="publication_archived_is_off"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError if the sender's name looks like a forgery, or if the publication uses archived rows."""
        check_sender_name(self.from_name, field="from_name", own=[domain_of(self.from_email), domain_of(self.reply_to)])
        check_further_languages(self.languages, language=self.language)
        if self.archived and self.enabled:
            raise ValidationError({"enabled": _("This publication is archived. Bring it back first.")})
        self.check_accounts()
        has_brand = Publication.objects.filter(pk=self.pk, brand_id=self.brand_id).exists()
        chosen = {
            "mailing_list": self.mailing_list_id,
            "segment": self.segment_id,
            "brand": not has_brand and self.brand_id,
        }
        for field, id_of in chosen.items():
            if id_of and not self.archived and getattr(self, field).archived:
                archived = _("“%(name)s” is archived. Bring it back first, or choose another.")
                raise ValidationError({field: archived % {"name": getattr(self, field)}})
