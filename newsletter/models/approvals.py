"""Approvals: who allowed which content of an issue, for which audience."""

from django.conf import settings
from django.db import models

from newsletter.models.issue_content import IssueRevision
from newsletter.models.issues import Issue


class Approval(models.Model):
    """A named person's approval of one content hash, or an automatic one by the publication's policy (``by_policy``).

    ``audience`` is the list and segment rule that it was for, and ``people`` the number of recipients then. Without them
    it approves nothing that is not frozen yet.
    """

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="approvals")
    revision = models.ForeignKey(IssueRevision, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    by_policy = models.BooleanField(default=False)
    audience = models.JSONField(default=dict)
    audience_sha256 = models.CharField(max_length=64, blank=True)
    people = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "sha256", "person"],
                condition=models.Q(withdrawn_at__isnull=True, person__isnull=False),
                name="approval_once_per_person",
            ),
            models.UniqueConstraint(
                fields=["issue", "sha256"],
                condition=models.Q(withdrawn_at__isnull=True, by_policy=True),
                name="approval_once_by_policy",
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=False, by_policy=False)
                | models.Q(person__isnull=True, by_policy=True),
                name="approval_has_one_source",
            ),
            models.CheckConstraint(
                condition=models.Q(audience_sha256="", people__isnull=True)
                | (~models.Q(audience_sha256="") & models.Q(people__isnull=False)),
                name="approval_names_its_audience",
            ),
        ]
