"""What staff said about warnings of an issue's checks, and what DNS said about the domains that mail is sent from."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessagesJSONField
from newsletter.models.issues import Issue
from newsletter.models.states import one_of


class Acknowledgement(models.Model):
    """A named person's “I have seen this warning” about one content hash; an edit of anything asks anew."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="acknowledgements")
    sha256 = models.CharField(max_length=64)
    warning = models.CharField(
        max_length=64, help_text=gettext_lazy("sha256 over the warning's code, message and place.")
    )
    message = models.CharField(max_length=500)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["issue", "sha256", "warning"], name="acknowledged_once"),
        ]

    def __str__(self) -> str:
        return self.message


class SenderDomain(models.Model):
    """The last look at one domain's SPF, DKIM and DMARC: ``findings`` is [{check, level, says, do}, …]."""

    domain = models.CharField(max_length=255, unique=True)
    provider = models.CharField(max_length=60, blank=True)
    findings = MessagesJSONField(default=list)
    looked_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.domain


class LinkLook(models.Model):
    """The last look at where one link of an issue leads. ``sha256`` is over the address, so that one address stands once."""

    class State(models.TextChoices):
        GOOD = "good", gettext_lazy("Good")
        DEAD = "dead", gettext_lazy("Dead")
        UNREACHED = "unreached", gettext_lazy("Unreached")

    sha256 = models.CharField(max_length=64, unique=True)
    url = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices)
    says = models.CharField(max_length=300, blank=True)
    looked_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [one_of("link_look_state", "state", ["good", "dead", "unreached"])]

    def __str__(self) -> str:
        return self.url
