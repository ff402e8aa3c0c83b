"""Mailing lists and topics."""

import re
import secrets

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.fields.web_address import WebAddressField

_PUBLIC_ID = re.compile(r"\A[0-9a-f]{16}\Z")


def make_public_id() -> str:
    """Return 16 random hexadecimal characters."""
    return secrets.token_hex(8)


class MailingList(models.Model):
    """A list that people subscribe to. `public_id` names it in links and headers and never changes."""

    slug = models.SlugField(gettext_lazy("slug"), max_length=80, unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)
    description = models.TextField(gettext_lazy("description"), blank=True, default="")
    double_opt_in = models.BooleanField(
        gettext_lazy("ask people to confirm by mail"),
        default=True,
        help_text=gettext_lazy("Recommended: proves that the address is theirs."),
    )
    public = models.BooleanField(
        gettext_lazy("open to the public"),
        default=True,
        help_text=gettext_lazy("Subscribers cannot see private lists or sign up for them."),
    )
    ask_name = models.BooleanField(gettext_lazy("ask for a first name"), default=True, db_default=True)
    ask_place = models.BooleanField(
        gettext_lazy("ask for a town"),
        default=True,
        db_default=True,
        help_text=gettext_lazy("For events near people. Nothing more precise than a town is kept."),
    )
    ask_topics = models.BooleanField(gettext_lazy("ask what interests people"), default=True, db_default=True)
    ask_language = models.BooleanField(gettext_lazy("ask for a language"), default=False, db_default=False)
    joined_url = WebAddressField(
        gettext_lazy("your page after the form"),
        max_length=2000,
        blank=True,
        default="",
        help_text=gettext_lazy(
            "An address on your website. People who send the sign-up form come there. If this list asks people to confirm, "
            "the page should say that a mail with a button is on its way."
        ),
    )
    confirmed_url = WebAddressField(
        gettext_lazy("your page after confirming"),
        max_length=2000,
        blank=True,
        default="",
        help_text=gettext_lazy(
            "An address on your website. People come there when they have confirmed, such as to thank them."
        ),
    )
    archived = models.BooleanField(gettext_lazy("archived"), default=False, editable=False)
    public_id = models.CharField(
        max_length=16, unique=True, default=make_public_id, editable=False, validators=[RegexValidator(_PUBLIC_ID)]
    )

    class Meta:
        verbose_name = gettext_lazy("mailing list")
        verbose_name_plural = gettext_lazy("mailing lists")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(archived=False) | models.Q(public=False), name="list_archived_is_private"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse to open an archived list to the public."""
        if self.archived and self.public:
            raise ValidationError({"public": _("This list is archived. Bring it back first.")})

    @property
    def public_name(self) -> str:
        """Return the name that readers may see. A private list is not named."""
        return self.name if self.public else "this newsletter"


class Topic(models.Model):
    """A subject that people can choose and stories can carry."""

    slug = models.SlugField(gettext_lazy("slug"), max_length=80, unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)
    names = models.JSONField(
        gettext_lazy("names in other languages"), default=dict, blank=True, help_text=gettext_lazy('{"es": "Tierra"}')
    )

    class Meta:
        verbose_name = gettext_lazy("topic")
        verbose_name_plural = gettext_lazy("topics")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str) -> str:
        """Return the name in a language, or the usual name."""
        return self.names.get(language) or self.names.get(language.split("-")[0]) or self.name

    def clean(self) -> None:
        """Refuse a name that another topic has in any case, because imported files find topics by name."""
        if Topic.objects.filter(name__iexact=self.name).exclude(pk=self.pk).exists():
            raise ValidationError({"name": _("There is a topic of this name already.")})
