"""Proofs that were mailed to staff, and approvals: who allowed which content of an issue for which audience."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.issue_content import IssueRevision
from newsletter.models.issues import Issue
from newsletter.models.states import one_of
from newsletter.models.variant_labels import label_facts


class Approval(models.Model):
    """A named person's approval of one content hash, or an automatic one by the publication's policy (``by_policy``).

    ``audience`` is the list and segment rule that it was for, and ``people`` the number of recipients then. Without them
    it approves nothing that is not frozen yet.
    """

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="approvals")
    revision = models.ForeignKey(IssueRevision, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    by_policy = models.BooleanField(default=False)
    audience = models.JSONField(default=dict)
    audience_sha256 = models.CharField(max_length=64, blank=True)
    people = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "sha256", "person"],
                condition=models.Q(withdrawn_at__isnull=True, person__isnull=False),
                name="approval_once_per_person",
            ),
            models.UniqueConstraint(
                fields=["issue", "sha256"],
                condition=models.Q(withdrawn_at__isnull=True, by_policy=True),
                name="approval_once_by_policy",
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=False, by_policy=False)
                | models.Q(person__isnull=True, by_policy=True),
                name="approval_has_one_source",
            ),
            models.CheckConstraint(
                condition=models.Q(audience_sha256="", people__isnull=True)
                | (~models.Q(audience_sha256="") & models.Q(people__isnull=False)),
                name="approval_names_its_audience",
            ),
        ]


class Proof(models.Model):
    """One mail to one member of staff. The row is written before the provider is called.

    ``provider`` describes the account that it goes through, like that of a send. ``outbox`` writes it to a file.
    """

    class State(models.TextChoices):
        ASKED = "asked", gettext_lazy("Asked")
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        FAILED = "failed", gettext_lazy("Failed")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="proofs")
    sha256 = models.CharField(max_length=64)
    label_facts = models.JSONField(default=list)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    reason = MessageField(blank=True)
    key = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [one_of("proof_state", "state", ["asked", "accepted", "failed", "uncertain"])]

    def __str__(self) -> str:
        return f"Proof of {self.issue_id} to {self.person_id}"

    @property
    def label(self) -> str:
        """The group of recipients whose mail it shows, in the current language."""
        return label_facts(self.label_facts)
