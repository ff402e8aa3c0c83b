"""Moves of the rest of a send from one provider account to another, on record for its page and its receipt."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of
from newsletter.providers.accounts import MAX_ACCOUNT_LENGTH


class AccountMove(models.Model):
    """One move. It is written in the transaction that gives the batches their new account.

    ``by`` names the person who moved them, "" if the program did. ``reason`` is the answer of the first account.
    ``unfinished``: the sweep moves more, and adds it to this row.
    """

    class Code(models.TextChoices):
        AWAY = "away", gettext_lazy("the first account was away")
        REFUSED = "refused", gettext_lazy("the first account refused to send for us")
        BY_HAND = "by_hand", gettext_lazy("moved by hand")

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="account_moves")
    from_account = models.CharField(max_length=MAX_ACCOUNT_LENGTH)
    to_account = models.CharField(max_length=MAX_ACCOUNT_LENGTH)
    code = models.CharField(max_length=7, choices=Code.choices)
    by = models.CharField(max_length=254, blank=True, default="")
    reason = MessageField(blank=True)
    batches = models.PositiveIntegerField()
    people = models.PositiveIntegerField()
    unfinished = models.BooleanField(default=False)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["send", "pk"]
        constraints = [
            one_of("account_move_code", "code", ["away", "refused", "by_hand"]),
            models.CheckConstraint(
                condition=~Q(to_account=models.F("from_account")), name="account_move_goes_elsewhere"
            ),
            models.CheckConstraint(
                condition=Q(code="by_hand") & ~Q(by="") | ~Q(code="by_hand") & Q(by=""), name="account_move_by_somebody"
            ),
        ]
