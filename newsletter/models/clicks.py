"""Clicks on the links of an issue: anonymous counts, and rows of people who agreed to be recorded."""

from django.db import models

from newsletter.models.issues import Issue
from subscribers.models import Subscriber


class LinkClicks(models.Model):
    """Clicks on one link of an issue on one day (UTC), of people and of probable machines.

    ``link`` is the first 16 hexadecimal digits of the URL's SHA-256.
    """

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="link_clicks")
    link = models.CharField(max_length=16)
    url = models.TextField()
    day = models.DateField()
    people = models.PositiveIntegerField(default=0)
    machines = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "link", "day"], name="link_clicks_once_a_day")]

    def __str__(self) -> str:
        return self.url


class RecipientClick(models.Model):
    """The first click of one subscriber on one link of an issue, recorded only with their consent."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="recipient_clicks")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="+")
    link = models.CharField(max_length=16)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "subscriber", "link"], name="recipient_click_once")]
