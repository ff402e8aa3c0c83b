"""The people whom a send left out, each with the reason: one narrow row a person."""

from django.db import models

from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of
from subscribers.models import Subscriber

EXCLUSION_REASONS = (
    *("unconfirmed", "implied_consent_ran_out", "resting", "paused", "outside", "over_budget", "not_charitable"),
    *("every_issue", "monthly", "events_only", "not_on_the_list"),
    *("suppressed:legal", "suppressed:erasure", "suppressed:complaint", "suppressed:unsubscribe"),
    *("suppressed:hard", "suppressed:soft_limit", "suppressed:staff"),
    *("no_event_near", "no_story_of_topics", "had_the_stories", "no_block_for_them", "no_story_in_their_region"),
)
"""The codes of `subscribers.audience.eligibility` and of `newsletter.issues.visible.visible_content`."""


class Exclusion(models.Model):
    """Somebody for whom an issue was, but who is no recipient, with the reason at the moment of the freeze.

    The row goes with the person, and with the send's deliveries after 90 days. A welcome mail has none: its steps say why. The
    references have no constraint, as those of deliveries: one INSERT…SELECT writes the rows from people and a send that exist.
    """

    send = models.ForeignKey(
        Send, on_delete=models.CASCADE, related_name="exclusions", db_index=False, db_constraint=False
    )
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    reason = models.CharField(max_length=24)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "send"], name="one_exclusion_per_person_and_send"),
            one_of("exclusion_reason", "reason", EXCLUSION_REASONS),
        ]
