"""Cases that stories belong to, and who follows them."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy

from subscribers.models.people import Subscriber


class Case(models.Model):
    """Something that several stories are about, such as a trial. Readers can follow it."""

    slug = models.SlugField(gettext_lazy("slug"), max_length=80, unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)

    class Meta:
        verbose_name = gettext_lazy("case")
        verbose_name_plural = gettext_lazy("cases")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="case_name_unique_in_any_letters",
                violation_error_message=gettext_lazy("There is a case of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class CaseFollow(models.Model):
    """One person follows one case, on all their lists."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="case_follows", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="follows")
    followed_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "case"], name="case_followed_once")]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.case}"
