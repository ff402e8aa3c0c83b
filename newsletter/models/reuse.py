"""Saved content: blocks and templates of issues that staff use again."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.models.body_blocks import BodyField
from newsletter.models.brands import Layout
from newsletter.models.publications import Publication
from newsletter.models.schema_blocks import make_body_block
from newsletter.models.states import one_of


class SavedRow(models.Model):
    """A row that staff made under a name. A person whose account is deleted becomes None."""

    name = models.CharField(max_length=100, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class SavedBlock(SavedRow):
    """One block of an issue, as it was saved. ``body`` has exactly this block."""

    body = BodyField(make_body_block())

    class Meta(SavedRow.Meta):
        verbose_name = gettext_lazy("saved block")
        verbose_name_plural = gettext_lazy("saved blocks")
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="saved_block_has_a_name")]


class IssueTemplate(SavedRow):
    """The layout, purpose, headline and blocks of an issue, without the stories, events and links of its week.

    ``publication`` is that of the issue; a template can begin an issue of any publication.
    """

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="+")
    layout = models.CharField(max_length=12, choices=Layout.choices, blank=True)
    headline = models.CharField(blank=True)
    charitable = models.BooleanField(default=True)
    body = BodyField(make_body_block(), blank=True)

    class Meta(SavedRow.Meta):
        verbose_name = gettext_lazy("template")
        verbose_name_plural = gettext_lazy("templates")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="issue_template_has_a_name"),
            one_of("issue_template_layout", "layout", ["", *Layout.values]),
        ]
