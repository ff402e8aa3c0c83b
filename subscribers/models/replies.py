"""Replies of people to our mail, by the day. They contain no text."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from subscribers.models.people import Subscriber


class Reply(models.Model):
    """One reply of one person. ``issue`` is the number of the issue's row while it is kept who got it; None if unknown.

    ``by`` names the member of staff or the API key that reported it; it is empty for an inbound mail.
    """

    class Origin(models.TextChoices):
        STAFF = "staff", gettext_lazy("recorded by staff")
        API = "api", gettext_lazy("reported by another system")
        MAIL = "mail", gettext_lazy("came in by mail")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="replies", db_index=False)
    issue = models.BigIntegerField(null=True)
    replied_on = models.DateField()
    origin = models.CharField(max_length=8, choices=Origin.choices)
    by = models.CharField(max_length=254, blank=True)
    recorded_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "issue"], condition=Q(issue__isnull=False), name="reply_once_to_an_issue"
            ),
            models.UniqueConstraint(
                fields=["subscriber", "replied_on"], condition=Q(issue__isnull=True), name="reply_once_on_a_day"
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["staff", "api"]) & ~Q(by="") | Q(origin="mail", by=""),
                name="reply_has_an_origin",
            ),
        ]
        indexes = [
            models.Index(fields=["subscriber", "replied_on"], name="reply_of_person"),
            models.Index(fields=["issue"], condition=Q(issue__isnull=False), name="reply_to_issue"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} on {self.replied_on}"
