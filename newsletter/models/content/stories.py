"""Stories, and the pictures of the picture library that came with them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy
from wagtail.images import get_image_model_string
from wagtail.models import PreviewableMixin
from wagtail.search import index

from newsletter.common.fields.web_address import WebAddressField
from newsletter.models.content.consent import ConsentMixin
from newsletter.models.content.edited_fields import EditedFieldsMixin
from newsletter.models.content.pictures import Picture
from newsletter.models.content.sources import Source
from newsletter.models.content.story_origins import SourceVisibilityMixin
from newsletter.models.content.translations import TranslationMixin
from subscribers.models import Case, Topic

MAX_TEXT_LENGTH = 20_000
_STORY_NAME = "story:"


def make_story_name(story_id: int) -> str:
    """Return the invented address that identifies a story without a web page: it compares like other addresses."""
    return f"{_STORY_NAME}{story_id}"


def read_story_name(name: str) -> int | None:
    """Return the id in such a name, or None for a real address."""
    number = name.removeprefix(_STORY_NAME)
    return int(number) if number != name and number.isdecimal() else None


class StoryQuerySet(models.QuerySet["Story"]):
    def published_or_seen_since(self, moment: datetime) -> "StoryQuerySet":
        """Return stories that were published, or first seen if undated, at or after the moment."""
        return self.annotate(published_or_seen_at=Coalesce("published_at", "seen_at")).filter(
            published_or_seen_at__gte=moment
        )

    def withdrawn(self) -> "StoryQuerySet":
        """Return stories that were withdrawn, or whose original was, and copies of translations of such stories."""
        return self.filter(
            Q(withdrawn_at__isnull=False)
            | Q(translation_of__withdrawn_at__isnull=False)
            | Q(same_as__translation_of__withdrawn_at__isnull=False)
        )

    def gone(self) -> "StoryQuerySet":
        """Return stories that their source no longer shows, and translations of such stories with their copies."""
        return self.filter(
            Q(gone_at__isnull=False)
            | Q(translation_of__gone_at__isnull=False)
            | Q(same_as__translation_of__gone_at__isnull=False)
        )

    def stopped_since(self, moment: datetime) -> "StoryQuerySet":
        """Return stories that were withdrawn or gone at or after the moment, or whose original was."""
        return self.filter(
            Q(withdrawn_at__gte=moment)
            | Q(gone_at__gte=moment)
            | Q(translation_of__withdrawn_at__gte=moment)
            | Q(translation_of__gone_at__gte=moment)
            | Q(same_as__translation_of__withdrawn_at__gte=moment)
            | Q(same_as__translation_of__gone_at__gte=moment)
        )

    def showable(self) -> "StoryQuerySet":
        """Return stories that are neither withdrawn nor gone; nor are their originals."""
        return self.filter(
            withdrawn_at=None,
            gone_at=None,
            translation_of__withdrawn_at=None,
            translation_of__gone_at=None,
            same_as__translation_of__withdrawn_at=None,
            same_as__translation_of__gone_at=None,
        )

    def with_originals(self, ids: Iterable[int]) -> "StoryQuerySet":
        """Return the stories of these ids and the originals of those that are translations."""
        rows = list(ids)
        translations = self.filter(pk__in=rows, translation_of__isnull=False)
        return self.filter(Q(pk__in=rows) | Q(pk__in=translations.values("translation_of")))

    def stopped_with(self, story: "Story") -> "StoryQuerySet":
        """Return the rows that a withdrawal of the story stops: it, its copies, their translations and copies of these."""
        rows = list(self.filter(Q(pk=story.pk) | Q(same_as=story.pk) | Q(twins=story.pk)).values_list("pk", flat=True))
        return self.filter(Q(pk__in=rows) | Q(translation_of__in=rows) | Q(same_as__translation_of__in=rows))


class Story(
    TranslationMixin,
    ConsentMixin,
    SourceVisibilityMixin,
    EditedFieldsMixin,
    PreviewableMixin,
    index.Indexed,
    models.Model,
):
    """A story from a source or from staff. Ingesting never overwrites ``edited_fields``.

    A story has either the ``url`` of a page with all of it, or no page and its whole ``text``: a paragraph on each line.

    ``media`` is set for a recording, which lasts ``seconds``, or 0 if its source does not say.

    If ``picture_waiting``, its picture could not be fetched yet and is fetched at the next visit. ``picture_page_etag``
    and ``picture_page_modified`` are from the last visit of the story's page for its picture.
    """

    source = models.ForeignKey(
        Source,
        verbose_name=gettext_lazy("source"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stories",
    )
    external_id = models.CharField(gettext_lazy("external id"), max_length=500)
    url = WebAddressField(gettext_lazy("url"), max_length=2000, blank=True)
    title = models.CharField(gettext_lazy("title"), max_length=300)
    teaser = models.TextField(gettext_lazy("teaser"), blank=True)
    text = models.TextField(gettext_lazy("text"), max_length=MAX_TEXT_LENGTH, blank=True, default="")
    body_html = models.TextField(blank=True, editable=False)
    media = models.CharField(
        max_length=5, choices=[("video", "video"), ("audio", "audio")], blank=True, default="", editable=False
    )
    seconds = models.PositiveIntegerField(default=0, editable=False)
    author = models.CharField(gettext_lazy("author"), max_length=200, blank=True)
    picture = models.ForeignKey(Picture, on_delete=models.SET_NULL, null=True, blank=True, editable=False)
    library_image = models.ForeignKey(
        get_image_model_string(),
        verbose_name=gettext_lazy("image"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=gettext_lazy("Used instead of the image of its source. Mails crop it around its focal point."),
    )
    picture_alt = models.CharField(gettext_lazy("what the image shows"), max_length=300, blank=True)
    topics = models.ManyToManyField(Topic, verbose_name=gettext_lazy("topics"), blank=True)
    case = models.ForeignKey(
        Case,
        verbose_name=gettext_lazy("case"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stories",
    )
    related = models.JSONField(
        default=list, blank=True, editable=False, help_text=gettext_lazy("[[title, url], …] as the source names them.")
    )
    pseudonyms = models.JSONField(
        gettext_lazy("pseudonyms"),
        default=list,
        blank=True,
        help_text=gettext_lazy("[[name, note], …]: the note goes wherever the name does."),
    )
    published_at = models.DateTimeField(gettext_lazy("published at"), null=True, blank=True)
    seen_at = models.DateTimeField(editable=False)
    source_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    edited_fields = models.JSONField(default=list, editable=False)
    picture_waiting = models.BooleanField(default=False, editable=False)
    picture_page_etag = models.CharField(max_length=500, blank=True, default="", editable=False)
    picture_page_modified = models.CharField(max_length=100, blank=True, default="", editable=False)

    objects = StoryQuerySet.as_manager()

    search_fields = [
        index.SearchField("title"),
        index.SearchField("teaser"),
        index.AutocompleteField("title"),
    ]

    class Meta:
        verbose_name = gettext_lazy("story")
        verbose_name_plural = gettext_lazy("stories")
        ordering = ["-published_at", "-seen_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="story_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(url="") & ~models.Q(text="") | ~models.Q(url="") & models.Q(text=""),
                name="story_has_page_or_text",
            ),
            *TranslationMixin.Meta.constraints,
            *ConsentMixin.Meta.constraints,
            *SourceVisibilityMixin.Meta.constraints,
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def address(self) -> str:
        """Return the address of its page, or a name that no other story has if it has no page."""
        return self.url or make_story_name(self.pk)

    @property
    def own_texts(self) -> dict[str, str]:
        """Return the texts of a mail that an issue can replace, by the name of the field that replaces it."""
        return {"headline": self.title, "teaser": self.teaser, "link": self.url}


class StoryImage(models.Model):
    """A picture of the library that came with a story. The rules that protect the story hold for each use of the picture.

    ``picture`` is our copy for mails; it is used until staff replace the file in the library. ``story`` is empty after the
    story was deleted: then nothing shows the picture.
    """

    image = models.OneToOneField(get_image_model_string(), on_delete=models.CASCADE, related_name="of_story")
    story = models.ForeignKey(Story, on_delete=models.SET_NULL, null=True, related_name="images")
    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="library_images")
    file = models.CharField(max_length=100)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["story", "picture"], name="story_image_once")]

    def __str__(self) -> str:
        return str(self.story or "")
