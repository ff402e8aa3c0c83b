"""Exports that staff requested, and each address or record of a person that staff saw or took."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from subscribers.models.lists import MailingList

MAX_PEOPLE_WITHOUT_APPROVAL = 500
GROWTH_DIVISOR = 20
"""A file may have a twentieth more people than there were at the request. With more, a new request is needed."""


class ExportRequest(models.Model):
    """One requested export. `without_approval` marks one that the person may take alone.

    Any other needs the approval of a second person, valid for one day and one download. An API key always needs one, who
    must not be the person that made the key. The approval is for
    `people_when_asked` people, and the file never holds more than `max_people`, the number that the approver saw.
    """

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    asked_by_key = models.PositiveBigIntegerField(
        null=True, help_text=gettext_lazy("The id of the API key that asked, if no person did")
    )
    key_label = models.CharField(max_length=160, blank=True, default="", db_default="")
    key_maker = models.CharField(
        max_length=254,
        blank=True,
        default="",
        db_default="",
        help_text=gettext_lazy("Who made the key. They may not allow what it asks for"),
    )
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    mailing_list = models.ForeignKey(MailingList, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    person_ids = models.JSONField(
        null=True, help_text=gettext_lazy("The ids of the people that staff chose; none for everybody")
    )
    has_bom = models.BooleanField(default=True, help_text=gettext_lazy("The file begins with a byte order mark"))
    people_when_asked = models.PositiveIntegerField(
        help_text=gettext_lazy("The number of people when the file was requested")
    )
    max_people = models.PositiveIntegerField(
        help_text=gettext_lazy("The largest number of people that the file may hold")
    )
    without_approval = models.BooleanField(default=False)
    allowed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    allowed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text=gettext_lazy("The file may be downloaded until then"))
    used_at = models.DateTimeField(null=True)
    people_in_file = models.PositiveIntegerField(
        null=True, help_text=gettext_lazy("The number of people in the downloaded file")
    )

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="export_has_reason"),
            models.CheckConstraint(
                condition=Q(without_approval=False) | Q(people_when_asked__lte=MAX_PEOPLE_WITHOUT_APPROVAL),
                name="export_alone_is_small",
            ),
            models.CheckConstraint(
                condition=Q(allowed_by__isnull=True, allowed_at__isnull=True, expires_at__isnull=True)
                | Q(allowed_by__isnull=False, allowed_at__isnull=False, expires_at__isnull=False),
                name="export_allowed_whole",
            ),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=False, asked_by_key__isnull=True, key_label="", key_maker="")
                | (Q(asked_by__isnull=True, asked_by_key__isnull=False, without_approval=False) & ~Q(key_label="")),
                name="export_asked_by_one",
            ),
            models.CheckConstraint(
                condition=Q(allowed_by__isnull=True) | ~Q(allowed_by=F("asked_by")), name="export_second_is_another"
            ),
            models.CheckConstraint(
                condition=Q(without_approval=True, max_people=F("people_when_asked"))
                | Q(
                    without_approval=False,
                    max_people__gte=F("people_when_asked"),
                    max_people__lte=F("people_when_asked") + F("people_when_asked") / GROWTH_DIVISOR,
                ),
                name="export_grows_by_little",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, people_in_file__isnull=True)
                | Q(used_at__isnull=False, people_in_file__isnull=False, people_in_file__lte=F("max_people")),
                name="export_taken_as_allowed",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True)
                | Q(without_approval=True)
                | Q(expires_at__isnull=False, used_at__lte=F("expires_at")),
                name="export_used_while_allowed",
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], name="export_asked")]

    def __str__(self) -> str:
        return f"Export {self.pk}"

    @property
    def asker(self) -> str:
        """Return who asked: the person, or the API key."""
        return str(self.asked_by or self.key_label)


class Disclosure(models.Model):
    """One view or download of whole addresses outside an export. It counts towards what one person may take alone.

    ``about`` is the id of the person, or of the import whose refused lines were taken.
    """

    class Kind(models.TextChoices):
        PERSON_FILE = "person_file", gettext_lazy("the data of one person")
        REVEAL = "reveal", gettext_lazy("a whole address")
        REFUSED_LINES = "refused_lines", gettext_lazy("the refused lines of an import")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=13, choices=Kind.choices)
    people = models.PositiveIntegerField()
    about = models.BigIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(people__gte=1, people__lte=MAX_PEOPLE_WITHOUT_APPROVAL), name="disclosure_is_small"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["person_file", "reveal", "refused_lines"]), name="disclosure_kind"
            ),
        ]
        indexes = [models.Index(fields=["by", "at"], name="disclosure_by_whom")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.people}"
