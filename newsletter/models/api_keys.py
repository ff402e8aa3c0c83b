"""Keys of the API, what each may do, their last calls, and the answers kept so that a repeated call does nothing."""

from datetime import datetime
from functools import lru_cache
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy, ngettext_lazy

from subscribers.models import MailingList

DEFAULT_CALLS_PER_MINUTE, MAX_CALLS_PER_MINUTE = 120, 60_000


class ApiScope(models.TextChoices):
    """A permission of a key. The last three existed first. They never get further rights."""

    PEOPLE_READ = "people:read", gettext_lazy("read people and suppressions")
    PEOPLE_WRITE = "people:write", gettext_lazy("sign up, add and change people, record replies, and stop emails")
    PEOPLE_ERASE = "people:erase", gettext_lazy("merge and erase people")
    PEOPLE_EXPORT = "people:export", gettext_lazy("ask for files of people, each of which a person allows")
    LISTS_READ = "lists:read", gettext_lazy("read lists, topics and segments")
    LISTS_WRITE = "lists:write", gettext_lazy("change lists, topics and segments")
    CONTENT_READ = "content:read", gettext_lazy("read stories, events, appeals and sources")
    CONTENT_WRITE = (
        "content:write",
        gettext_lazy("write stories, events, appeals and sources, and have sources looked at"),
    )
    ISSUES_READ = "issues:read", gettext_lazy("read and preview issues before they are sent")
    ISSUES_WRITE = "issues:write", gettext_lazy("draft issues; staff approve and send them")
    SENDS_READ = "sends:read", gettext_lazy("read the progress and the reports of sends")
    SENDS_WRITE = "sends:write", gettext_lazy("pause sends; staff resume them")
    MAILS_WRITE = "mails:write", gettext_lazy("write templates of single mails; staff approve them")
    MAILS_SEND = "mails:send", gettext_lazy("send single mails from templates that staff approved")
    WEBSITE = "website", gettext_lazy("show sign-up forms, sign people up, and have sources looked at; read nobody")
    PEOPLE = "people", gettext_lazy("sign up, change and read people, and stop emails")
    READ = "read", gettext_lazy("read publications, issues and receipts, without what is not public")
    GIFTS = "gifts", gettext_lazy("report gifts")


@lru_cache(maxsize=256)
def _read_scopes(text: str) -> tuple[ApiScope, ...]:
    return tuple(ApiScope(word) for word in text.split() if word in ApiScope.values)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self, *, now: datetime) -> Self:
        """Keep the keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)


class ApiKey(models.Model):
    """A key of the API. `digest` is its SHA-256 in hexadecimal; `hint` is its first characters, to identify the key.

    `scope` holds one or several of `ApiScope`, with spaces between. Unless `all_lists`, the key sees and changes only
    `lists` and the people on them: a list that is deleted leaves it fewer, never all.
    """

    name = models.CharField(
        max_length=120, help_text=gettext_lazy("What uses the key, such as “Web site” or “Donor database”.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    scope = models.CharField(max_length=400)
    all_lists = models.BooleanField(default=True)
    lists = models.ManyToManyField(MailingList, blank=True, related_name="+")
    calls_per_minute = models.PositiveIntegerField(default=DEFAULT_CALLS_PER_MINUTE)
    made_by = models.CharField(max_length=254)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=254, blank=True, default="")

    objects = ApiKeyQuerySet.as_manager()
    counted_as = ngettext_lazy("%(number)s API key", "%(number)s API keys", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API key"
        default_permissions = ("change",)
        constraints = [
            models.CheckConstraint(condition=~Q(scope=""), name="api_key_scope"),
            models.CheckConstraint(
                condition=Q(calls_per_minute__gte=1, calls_per_minute__lte=MAX_CALLS_PER_MINUTE), name="api_key_limit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def scopes(self) -> list[ApiScope]:
        """Return the rights of the key. An unknown word allows nothing."""
        return list(_read_scopes(self.scope))

    def get_scope_display(self) -> str:
        return " · ".join(str(scope.label) for scope in self.scopes)


class ApiCall(models.Model):
    """One call with a key, for the desk. `path` is without the query and holds ids, never an address."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="calls", db_index=False)
    at = models.DateTimeField()
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField()
    milliseconds = models.PositiveIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["key", "-id"], name="api_call_last")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"


class ApiAnswer(models.Model):
    """A call with an `Idempotency-Key`, and its answer if it succeeded. Of two at once, one makes the row.

    The answer is encrypted, because it may name a person. `request_hash` covers method, address and body.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    sealed_content = models.TextField(blank=True, default="")

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key", "idempotency_key"], name="api_answer_once")]

    def __str__(self) -> str:
        return f"{self.idempotency_key}: {self.status or 'running'}"
