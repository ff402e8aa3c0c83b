"""The consent of the person in a story. `newsletter.issues.snapshot.consent_rules` decides if an issue may show the story."""

from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.states import one_of


class Channel(models.TextChoices):
    EMAIL = "email", gettext_lazy("Email")
    ARCHIVE = "archive", gettext_lazy("Web archive and its feed")
    SOCIAL = "social", gettext_lazy("Social networks")
    PRINT = "print", gettext_lazy("Print")


class Identity(models.TextChoices):
    FULL = "full", gettext_lazy("Full name")
    FIRST_NAME = "first_name", gettext_lazy("First name only")
    PSEUDONYM = "pseudonym", gettext_lazy("A pseudonym")
    ANONYMOUS = "anonymous", gettext_lazy("Not named at all")


class ConsentGiver(models.TextChoices):
    SELF = "self", gettext_lazy("The person")
    GUARDIAN = "guardian", gettext_lazy("A parent or guardian")


class ConsentMixin(models.Model):
    """The consent columns of a story. Dates are whole days in UTC; a consent is valid through its last day."""

    consent_needed = models.BooleanField(
        gettext_lazy("this story is about a person, and needs their consent"),
        default=False,
        help_text=gettext_lazy("Without a valid consent, the story is not put into any issue."),
    )
    consent_channels = models.JSONField(gettext_lazy("agreed to"), default=list, blank=True)
    consent_identity = models.CharField(
        gettext_lazy("the person is shown by"), max_length=10, choices=Identity.choices, blank=True, default=""
    )
    consent_given_by = models.CharField(
        gettext_lazy("agreed by"), max_length=8, choices=ConsentGiver.choices, blank=True, default=""
    )
    consent_given_on = models.DateField(gettext_lazy("agreed on"), null=True, blank=True)
    consent_expires_on = models.DateField(
        gettext_lazy("agreed until"),
        null=True,
        blank=True,
        help_text=gettext_lazy("The last day on which the story may be shown."),
    )
    consent_review_on = models.DateField(gettext_lazy("ask again on"), null=True, blank=True)
    consent_form_holder = models.CharField(
        gettext_lazy("who holds the signed form"), max_length=200, blank=True, default=""
    )
    about_minor = models.BooleanField(
        gettext_lazy("the person is under 18"),
        default=False,
        help_text=gettext_lazy("Then a parent or guardian must have agreed, and the person’s name is not shown."),
    )
    embargo_until = models.DateTimeField(
        gettext_lazy("embargoed until"),
        null=True,
        blank=True,
        help_text=gettext_lazy("The story is not shown anywhere before."),
    )
    not_in_regions = models.JSONField(gettext_lazy("must not reach"), default=list, blank=True)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_reason = MessageField(blank=True, default="", editable=False)

    class Meta:
        abstract = True
        constraints = [
            one_of("story_consent_identity", "consent_identity", ["", *Identity.values]),
            one_of("story_consent_given_by", "consent_given_by", ["", *ConsentGiver.values]),
        ]
