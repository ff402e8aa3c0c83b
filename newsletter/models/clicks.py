"""Clicks: anonymous counts of an issue's links, and, only of readers who agreed, who followed which. No services here."""

from django.db import models

from newsletter.models.issues import Issue
from subscribers.models import Subscriber


class LinkClicks(models.Model):
    """How often one link of an issue was followed on one day (UTC): by people, and by what looks like a machine.

    Nothing of who clicked is kept. ``link`` is the first 16 hexadecimal digits of the address's sha256.
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


class ReaderClick(models.Model):
    """One reader who agreed to it followed one link of an issue; the first time counts. Gone with the reader."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="reader_clicks")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="+")
    link = models.CharField(max_length=16)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "subscriber", "link"], name="reader_click_once")]
