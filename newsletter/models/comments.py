"""Comments of staff on an issue or on one of its blocks. They are never part of the content that is approved and sent."""

from django.conf import settings
from django.db import models

from newsletter.models.issues import Issue


class Comment(models.Model):
    """A comment, or with a ``parent`` an answer to one. Only comments are resolved, with all their answers.

    ``block`` is the id of a block of the body; empty, the comment is about the whole issue. ``block_label`` names the block
    as it was then, because a deleted block keeps its comments. A person whose account is deleted becomes None.
    """

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="answers")
    block = models.CharField(max_length=36, blank=True)
    block_label = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="comment_says_something"),
            models.CheckConstraint(
                condition=models.Q(resolved_at__isnull=False) | models.Q(resolved_by__isnull=True),
                name="comment_resolved_by_a_person_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(parent__isnull=True) | models.Q(resolved_at__isnull=True, block="", block_label=""),
                name="comment_answer_belongs_to_its_comment",
            ),
            models.CheckConstraint(
                condition=models.Q(block="") | ~models.Q(block_label=""), name="comment_names_its_block"
            ),
        ]

    def __str__(self) -> str:
        return self.text
