"""Single mails from templates that staff own and other systems send: templates, their texts, and one row for each mail."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.api_keys import ApiKey
from newsletter.models.publications import Publication
from newsletter.models.states import one_of

MAX_VALUE_LENGTH, MAX_FIELDS = 200, 20


class MailTemplate(models.Model):
    """A mail that answers what one person did, such as a gift. `fields` are its merge fields with their sample values.

    `approved_sha256` is the hash of the content that somebody approved, or "". An edit changes the content's hash, so that
    the approval is no longer valid. The publication is the sender, with its brand.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=100)
    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("sender")
    )
    fields = models.JSONField(default=dict, blank=True)
    editors = models.JSONField(
        default=list, help_text=gettext_lazy("The ids of the staff who edited it since it was last approved")
    )
    edited_at = models.DateTimeField()
    approved_sha256 = models.CharField(max_length=64, blank=True, default="")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        verbose_name = gettext_lazy("mail template")
        verbose_name_plural = gettext_lazy("mail templates")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="mail_template_has_a_name"),
            models.CheckConstraint(
                condition=Q(approved_sha256="", approved_at__isnull=True)
                | (~Q(approved_sha256="") & Q(approved_at__isnull=False)),
                name="mail_template_approved_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MailTemplateText(models.Model):
    """The texts of a template in one language. Those of the publication's language are for everybody else too."""

    template = models.ForeignKey(MailTemplate, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=16)
    subject = models.CharField(gettext_lazy("subject"), max_length=200)
    preheader = models.CharField(gettext_lazy("preheader"), max_length=200, blank=True)
    body = models.TextField(gettext_lazy("text"), max_length=10_000)
    button_label = models.CharField(gettext_lazy("label of the button"), max_length=60, blank=True)
    button_url = models.CharField(gettext_lazy("link of the button"), max_length=2000, blank=True)
    reason = models.CharField(gettext_lazy("why they get it"), max_length=300)

    class Meta:
        ordering = ["language"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["template", "language"], name="mail_template_text_once")]

    def __str__(self) -> str:
        return f"{self.template_id}, {self.language}"


class TemplateMail(models.Model):
    """One mail to one address, asked for by a key. It is never sent twice: unique by the key and its idempotency key.

    The address and the values are deleted as soon as the mail has an outcome.
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        SENDING = "sending", gettext_lazy("Being sent")
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        FAILED = "failed", gettext_lazy("Failed")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")

    template = models.ForeignKey(MailTemplate, on_delete=models.PROTECT, related_name="mails")
    template_sha256 = models.CharField(max_length=64)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    email = models.CharField(max_length=254, blank=True)
    address_hash = models.BinaryField(max_length=32)
    language = models.CharField(max_length=16)
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    reason = MessageField(blank=True, default="")
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="template_mail_once"),
            one_of("template_mail_state", "state", ["waiting", "sending", "accepted", "failed", "uncertain"]),
            models.CheckConstraint(
                condition=(Q(state__in=["waiting", "sending"]) & ~Q(email=""))
                | (Q(state__in=["accepted", "failed", "uncertain"]) & Q(email="")),
                name="template_mail_forgets_address",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="template_mail_by_state"),
            models.Index(fields=["address_hash", "asked_at"], name="template_mail_to"),
        ]

    def __str__(self) -> str:
        return f"Mail {self.pk}: {self.state}"
