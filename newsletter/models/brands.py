"""Brands: the organisation's look, address and links; the layouts of mails; and the check of senders' names."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin

from newsletter.common.fields.web_address import WebAddressField
from newsletter.models.content.pictures import Picture
from newsletter.models.states import one_of
from newsletter.providers.sender_names import find_impersonated_domain, has_address


class BrandQuerySet(models.QuerySet["Brand"]):
    def in_use(self) -> "BrandQuerySet":
        """Return the brands that are not archived, or that a publication in use still has."""
        return self.filter(Q(archived=False) | Q(publication__archived=False)).distinct()

    def find_main(self) -> "Brand | None":
        """Return the oldest brand that is not archived, else the oldest: it shows who the organisation is."""
        return self.order_by("archived", "pk").first()


class Layout(models.TextChoices):
    """The layouts of ``templates/email/layouts``."""

    LETTER = "letter", gettext_lazy("Letter: a greeting, a lead story, and what follows")
    PLAIN = "plain", gettext_lazy("Plain letter: as if a person wrote it, without cards or buttons")
    EVENTS_FIRST = "events_first", gettext_lazy("Events first: the next event large, and stories after the events")
    DIGEST = "digest", gettext_lazy("Digest: what is in it, then many things in short")
    ANNOUNCEMENT = "announcement", gettext_lazy("Announcement: one piece of news under its own headline")
    EVENT_NOTICE = "event_notice", gettext_lazy("Event notice: one day, large, and all about it")
    APPEAL = "appeal", gettext_lazy("Appeal: one request in the brand’s colour")


class Brand(PreviewableMixin, models.Model):
    """The organisation's look, address and links."""

    class Masthead(models.TextChoices):
        PLAIN = "plain", gettext_lazy("The name in the middle, on the page")
        BAND = "band", gettext_lazy("A band in the brand’s colour")
        RULE = "rule", gettext_lazy("The name at the side, with a line under it")

    class TextLinks(models.TextChoices):
        BENEATH = "beneath", gettext_lazy("Beneath their words")
        END = "end", gettext_lazy("Numbered, at the end")

    slug = models.SlugField(gettext_lazy("slug"), unique=True, default="default")
    name = models.CharField(gettext_lazy("name"), max_length=120)
    logo = models.ForeignKey(
        Picture, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    logo_dark = models.ForeignKey(
        Picture, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    colour = models.CharField(gettext_lazy("colour"), max_length=7, default="#1f4e5f")
    accent = models.CharField(gettext_lazy("accent"), max_length=7, default="#b3541e")
    background = models.CharField(gettext_lazy("background"), max_length=7, default="#f4f1ec")
    font = models.CharField(gettext_lazy("font"), max_length=200, default="Georgia, 'Times New Roman', serif")
    heading_font = models.CharField(
        gettext_lazy("heading font"), max_length=200, blank=True, help_text=gettext_lazy("Empty: the font of the text.")
    )
    radius = models.PositiveSmallIntegerField(
        gettext_lazy("round corners"),
        default=8,
        validators=[MaxValueValidator(24)],
        help_text=gettext_lazy("In pixels; 0 is square."),
    )
    masthead = models.CharField(
        gettext_lazy("masthead"), max_length=5, choices=Masthead.choices, default=Masthead.PLAIN
    )
    text_links = models.CharField(
        gettext_lazy("links in plain text"),
        max_length=7,
        choices=TextLinks.choices,
        default=TextLinks.BENEATH,
        help_text=gettext_lazy(
            "For readers whose mail program shows no HTML. The links of the footer always stay in the footer."
        ),
    )
    postal_address = models.CharField(
        gettext_lazy("postal address"),
        max_length=300,
        blank=True,
        help_text=gettext_lazy("The law requires it in every issue."),
    )
    website = WebAddressField(gettext_lazy("website"), max_length=2000, blank=True)
    privacy_url = WebAddressField(
        gettext_lazy("privacy notice"),
        max_length=2000,
        blank=True,
        help_text=gettext_lazy(
            "The address of your privacy notice. The sign-up page and pages for subscribers link to it."
        ),
    )
    donate_url = WebAddressField(gettext_lazy("donation page"), max_length=2000, blank=True)
    donor_portal_url = WebAddressField(gettext_lazy("page for donors"), max_length=2000, blank=True)
    social = models.JSONField(
        gettext_lazy("social"), default=dict, blank=True, help_text=gettext_lazy('{"facebook": "https://…"}')
    )

    gift_hosts = models.JSONField(
        gettext_lazy("donation pages"),
        default=list,
        blank=True,
        help_text=gettext_lazy(
            "Hosts whose links in mails name the issue and the block, so that reports can say what each raised. They never "
            "name a reader."
        ),
    )
    archived = models.BooleanField(gettext_lazy("archived"), default=False, editable=False)

    objects = BrandQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("brand")
        verbose_name_plural = gettext_lazy("brands")
        constraints = [
            one_of("brand_masthead", "masthead", ["plain", "band", "rule"]),
            one_of("brand_text_links", "text_links", ["beneath", "end"]),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError if the name, which sender names include, looks like somebody else's domain."""
        check_sender_name(self.name, field="name", own=[urlsplit(self.website).hostname or ""])


def check_sender_name(name: str, *, field: str, own: Sequence[str]) -> None:
    """Raise ValidationError for ``field`` if the name looks like an address or another's domain. ``own`` are own domains."""
    if has_address(name):
        raise ValidationError(
            {field: _("The name contains @, < or >, which mailboxes treat as a forgery. Use a plain name.")}
        )
    domain = find_impersonated_domain(name, own=own)
    if domain:
        message = _(
            "“%(domain)s” is not the domain of your sender’s address, so mailboxes treat the name as a forgery. "
            "Remove it, or write a space after the dot if it is no domain."
        )
        raise ValidationError({field: message % {"domain": domain}})


def domain_of(email: str) -> str:
    """Return the domain of an address in its readable form."""
    domain = email.rpartition("@")[2].lower()
    try:
        return domain.encode("ascii").decode("idna") if "xn--" in domain else domain
    except UnicodeError:
        return domain
