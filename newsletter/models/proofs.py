"""Proofs: mails of an issue to named staff. They are not part of a send."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.issues import Issue
from newsletter.models.states import one_of


class Proof(models.Model):
    """One mail to one member of staff. The row is written before the provider is called."""

    class State(models.TextChoices):
        ASKED = "asked", gettext_lazy("Asked")
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        FAILED = "failed", gettext_lazy("Failed")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="proofs")
    sha256 = models.CharField(max_length=64)
    label = models.CharField(max_length=200, help_text=gettext_lazy("The group of recipients whose mail it shows."))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
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
