"""What staff are told by mail: a row each, written with what it is about and sent until it was taken."""

from django.conf import settings
from django.db import models


class StaffNotice(models.Model):
    """One mail to one person about one thing. The constraint is why nobody is told twice."""

    key = models.CharField(max_length=120)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=300)
    paragraphs = models.JSONField(default=list)
    link = models.CharField(max_length=300)
    publication = models.ForeignKey("newsletter.Publication", on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [models.UniqueConstraint(fields=["key", "person"], name="staff_notice_once")]

    def __str__(self) -> str:
        return self.subject
