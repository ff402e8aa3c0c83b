"""Pauses of sends by a rule, with the person who ended them and the reason."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of


class AutomaticPause(models.Model):
    """A rule that paused a send, and at how many cases. After staff resume the send, twice as many pause it again.

    ``lifted_reason`` is why somebody resumed it all the same. The rule GMAIL asks for it, and counts a spam rate of 1 % as
    1,000 cases. The rule SENDER counts mails of the whole send, PACE those of one mailbox provider since the last step.
    """

    CASES_PER_SHARE = 100_000

    class Rule(models.TextChoices):
        HARD = "hard", gettext_lazy("too many addresses that do not exist")
        COMPLAINTS = "complaints", gettext_lazy("too many complaints")
        AUTHENTICATION = "authentication", gettext_lazy("the domain is not authenticated")
        SENDER = "sender", gettext_lazy("mail servers refuse or delay mail of this sender")
        PACE = "pace", gettext_lazy("a mailbox provider refuses or delays mail also after the send was slowed")
        DOMAIN = "domain", gettext_lazy("too many complaints at one mailbox domain")
        STALE = "stale", gettext_lazy("it was late")
        SWITCHED_OFF = "switched_off", gettext_lazy("the publication was switched off")
        CONTENT = "content", gettext_lazy("what it shows changed between two of its hours")
        GMAIL = "gmail", gettext_lazy("too many people at Gmail report mail of this domain as spam")
        CANARY = "canary", gettext_lazy("what its canaries found")

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="automatic_pauses")
    rule = models.CharField(max_length=14, choices=Rule.choices)
    cases = models.PositiveIntegerField()
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=254, blank=True, default="")
    lifted_reason = models.CharField(max_length=300, blank=True, default="")

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["send", "rule"], name="automatic_pause_once"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by="", lifted_reason="")
                | Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lifted_reason=""),
                name="automatic_pause_lifted_for_a_reason",
            ),
            one_of(
                "automatic_pause_rule",
                "rule",
                [
                    "hard",
                    "complaints",
                    "authentication",
                    "sender",
                    "pace",
                    "domain",
                    "stale",
                    "switched_off",
                    "content",
                    "gmail",
                    "canary",
                ],
            ),
        ]
