"""Who unsubscribed by a link of which mailing, so that each mailing's report can count them."""

from django.db import models


class CountedUnsubscribe(models.Model):
    """One person who unsubscribed by a link of one mailing. The constraint makes counting them twice impossible.

    Both are plain numbers: the row outlives the person, and says no more of them than the number they had.
    """

    mailing = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailing", "subscriber_id"], name="unsubscribe_counted_once")]
