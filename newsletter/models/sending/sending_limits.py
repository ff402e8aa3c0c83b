"""Limits on every send: the rate of a provider account, the daily number of people, the mails for one person, and a hold."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.publications import Publication
from newsletter.providers.accounts import MAX_ACCOUNT_LENGTH


class ProviderAccount(models.Model):
    """The shared rate limit of one provider account: the earliest moment of the next call.

    Single mails go between the calls of a bulk send and ignore ``next_at``. ``wait_until`` stops every call.
    """

    name = models.CharField(max_length=120, unique=True)
    next_at = models.FloatField(default=0, help_text=gettext_lazy("Seconds since 1970."))
    wait_until = models.FloatField(default=0, help_text=gettext_lazy("Seconds since 1970: no calls before this."))
    failures = models.PositiveIntegerField(default=0, help_text=gettext_lazy("Single mails that failed in a row."))
    pace = models.FloatField(
        default=1, help_text=gettext_lazy("Share of the rate in use since the provider answered “too many”.")
    )

    wagtail_reference_index_ignore = True


class SendingDay(models.Model):
    """The number of people that a publication was sent to on one local day. The daily limit and the warm-up read it.

    ``account`` is "" in the row of all accounts; an account that warms up has an additional row.
    """

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    account = models.CharField(max_length=MAX_ACCOUNT_LENGTH, blank=True, default="")
    people = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "day", "account"], name="sending_day_once")]


class MailLimits(models.Model):
    """One row: the limit of mails to one person, over all publications. No row: no limit."""

    mails_in_7_days = models.PositiveSmallIntegerField(
        gettext_lazy("mails in 7 days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1, gettext_lazy("With 0, nobody would get any newsletter. Enter 1 or more."))],
        help_text=gettext_lazy(
            "The most newsletters that one person gets in 7 days, counted as 6½, so that a weekly issue counts once. "
            "Empty: no limit."
        ),
    )

    silent_months = models.PositiveSmallIntegerField(
        gettext_lazy("ask after this many months of silence"),
        null=True,
        blank=True,
        validators=[
            MinValueValidator(6, gettext_lazy("Wait at least 6 months before you ask.")),
            MaxValueValidator(120),
        ],
        help_text=gettext_lazy(
            "People who did nothing on their own pages and sent no reply for so long get one mail: “Do you still want our "
            "emails?” Without an answer in 30 days, they get no newsletters until they answer. Empty: nobody is asked."
        ),
    )
    questions_per_day = models.PositiveIntegerField(
        gettext_lazy("at most this many questions a day"), default=500, validators=[MinValueValidator(1)]
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = gettext_lazy("limits for one person")
        verbose_name_plural = gettext_lazy("limits for one person")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_row_of_mail_limits"),
            models.CheckConstraint(
                condition=Q(mails_in_7_days__isnull=True) | Q(mails_in_7_days__gte=1), name="mail_limit_is_not_0"
            ),
            models.CheckConstraint(
                condition=Q(silent_months__isnull=True) | Q(silent_months__gte=6), name="silence_is_long"
            ),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


class Installation(models.Model):
    """One row: the installation that owns this database, and if it may send at all.

    ``released_at`` is when staff last ended a hold. Older notes in a machine's journal no longer count.
    ``restored_at`` is when what may have been sent since a backup was last marked: the times of schedules from before it count.
    ``backed_up_at`` is the moment of the newest complete archive of `newsletter backup`. After a restore, it is that archive's.
    """

    address_key_hash = models.CharField(max_length=64)
    held = models.BooleanField(default=False)
    reason = MessageField(blank=True)
    changed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)
    backed_up_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_installation")]
