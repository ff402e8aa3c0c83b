"""DMARC aggregate reports: what receivers say about mail that names our domains, and how many reports were refused."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from newsletter.models.states import one_of

MAX_MAILS = 1_000_000_000


class DmarcReport(models.Model):
    """One report of one receiver about one of our domains. Nobody verifies who wrote it.

    The first constraint keeps a report that comes twice from being counted twice.
    """

    reporter = models.CharField(max_length=100)
    report_id = models.CharField(max_length=255)
    domain = models.CharField(max_length=253)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    received_at = models.DateTimeField()
    origin = models.CharField(max_length=20)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(fields=["reporter", "report_id", "domain"], name="dmarc_report_once"),
            models.CheckConstraint(condition=Q(begins_at__lte=F("ends_at")), name="dmarc_report_range"),
        ]
        indexes = [
            models.Index(fields=["ends_at"], name="dmarc_report_by_end"),
            models.Index(fields=["received_at"], name="dmarc_report_by_arrival"),
        ]

    def __str__(self) -> str:
        return f"DMARC report of {self.reporter} about {self.domain}"


class DmarcReportRow(models.Model):
    """Mails of one report that one server sent and that the receiver judged alike.

    ``signed_by`` and ``return_path`` are domains whose DKIM or SPF passed, aligned or not. ``broken_signature``: a
    signature of our own domain is there and failed. ``reason`` is why the receiver did not follow the policy.
    """

    report = models.ForeignKey(DmarcReport, on_delete=models.CASCADE, related_name="rows")
    source = models.GenericIPAddressField()
    header_from = models.CharField(max_length=253)
    disposition = models.CharField(max_length=10)
    dkim_aligned = models.BooleanField()
    spf_aligned = models.BooleanField()
    signed_by = models.CharField(max_length=253, blank=True)
    return_path = models.CharField(max_length=253, blank=True)
    broken_signature = models.BooleanField(default=False)
    reason = models.CharField(max_length=20, blank=True)
    mails = models.BigIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(mails__gte=1, mails__lte=MAX_MAILS), name="dmarc_row_mails"),
            one_of("dmarc_row_disposition", "disposition", ["none", "quarantine", "reject"]),
        ]


class DmarcRefusal(models.Model):
    """The number of reports that were refused on one day (UTC) for one reason. Nothing else of them is kept."""

    class Code(models.TextChoices):
        NOT_A_REPORT = "not_a_report", gettext_lazy("No report, or damaged")
        TOO_LARGE = "too_large", gettext_lazy("Too large")
        UNSAFE_XML = "unsafe_xml", gettext_lazy("Definitions in the XML, which attacks use")
        MISSING_FIELD = "missing_field", gettext_lazy("Not complete")
        BAD_VALUE = "bad_value", gettext_lazy("An impossible number, address or domain")
        OTHER_DOMAIN = "other_domain", gettext_lazy("About a domain that is not yours")
        BAD_RANGE = "bad_range", gettext_lazy("About the future, or about more than a month")
        TOO_OLD = "too_old", gettext_lazy("Too old")
        KNOWN = "known", gettext_lazy("Came before")
        TOO_MANY = "too_many", gettext_lazy("Too many in one day")

    day = models.DateField()
    code = models.CharField(max_length=16, choices=Code.choices)
    reports = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["day", "code"], name="dmarc_refusal_once_a_day"),
            one_of(
                "dmarc_refusal_code",
                "code",
                [
                    "not_a_report",
                    "too_large",
                    "unsafe_xml",
                    "missing_field",
                    "bad_value",
                    "other_domain",
                    "bad_range",
                    "too_old",
                    "known",
                    "too_many",
                ],
            ),
        ]
