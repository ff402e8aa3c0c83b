"""Results of checks: acknowledged warnings, DNS records of sender domains, links and spam scores of issues."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.issues import Issue
from newsletter.models.states import one_of


class Acknowledgement(models.Model):
    """A named person has seen a warning about one content hash. After any edit the warning must be acknowledged again."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="acknowledgements")
    sha256 = models.CharField(max_length=64)
    warning = models.CharField(
        max_length=64, help_text=gettext_lazy("sha256 of the warning’s code, message and field.")
    )
    message = MessageField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["issue", "sha256", "warning"], name="acknowledged_once"),
        ]

    def __str__(self) -> str:
        return str(self.message)


class SenderDomain(models.Model):
    """The last check of a sender's domain. ``findings`` are rows of `Finding`: check, level, says, means, do, code, records.

    They are about the default provider account. ``further`` has those about further accounts that send for the domain:
    ``{account: {"provider": label, "findings": [row, …]}}``.

    ``policy`` is what receivers apply by the DMARC record at ``policy_domain``, ``policy_tag`` the tag in it that decides this
    (``t`` if a test weakens the policy), all "" without one.
    ``reports_since``: from when on this record sends reports to our inbound address.
    """

    domain = models.CharField(max_length=255, unique=True)
    provider = models.CharField(max_length=60, blank=True)
    findings = MessagesJSONField(default=list)
    further = MessagesJSONField(default=dict)
    looked_at = models.DateTimeField(null=True)
    policy_domain = models.CharField(max_length=255, blank=True, default="")
    policy = models.CharField(max_length=10, blank=True, default="")
    policy_tag = models.CharField(max_length=2, blank=True, default="")
    reports_since = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            one_of("sender_domain_policy", "policy", ["", "none", "quarantine", "reject"]),
            one_of("sender_domain_policy_tag", "policy_tag", ["", "p", "sp", "np", "t"]),
            models.CheckConstraint(
                condition=models.Q(policy="", policy_tag="") | (~models.Q(policy="") & ~models.Q(policy_tag="")),
                name="sender_domain_tag_decides",
            ),
        ]

    def __str__(self) -> str:
        return self.domain


class LinkCheck(models.Model):
    """The last check of a link in an issue. ``sha256`` is the hash of its URL, so that each URL has one row."""

    class State(models.TextChoices):
        GOOD = "good", gettext_lazy("Answers")
        DEAD = "dead", gettext_lazy("Not found")
        UNREACHED = "unreached", gettext_lazy("Does not answer")

    sha256 = models.CharField(max_length=64, unique=True)
    url = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices)
    message = MessageField(blank=True)
    looked_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [one_of("link_check_state", "state", ["good", "dead", "unreached"])]

    def __str__(self) -> str:
        return self.url


class SpamCheck(models.Model):
    """The last score of an issue's mail by a local SpamAssassin. ``sha256`` is that of the content.

    ``rules`` is [[points, description], …]. ``score`` is None if SpamAssassin gave none.
    """

    issue = models.OneToOneField(Issue, on_delete=models.CASCADE, related_name="spam_check")
    sha256 = models.CharField(max_length=64)
    score = models.FloatField(null=True)
    threshold = models.FloatField(default=5.0)
    rules = models.JSONField(default=list)
    looked_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"{self.issue}: {self.score}"
