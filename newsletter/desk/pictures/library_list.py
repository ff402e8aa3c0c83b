"""The page of the picture library: uploads by staff and the pictures of stories."""

import django_filters  # type: ignore[import-untyped]
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import BaseColumn, Column
from wagtail.images.models import Image
from wagtail.images.views.images import ImagesFilterSet, IndexView

from newsletter.common.translation import translate
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.content_links import find_use_restriction
from subscribers.desk.listing import LimitedSearch

OF_STORIES, UPLOADED = "stories", "uploads"
ORIGINS = ((OF_STORIES, _("Stories")), (UPLOADED, _("Uploads by staff")))
SEARCHED_FIELDS = ("title", "description", "of_story__story__title")


def filter_by_origin(images: QuerySet[Image], origin: str) -> QuerySet[Image]:
    """Return the pictures of stories or those that staff uploaded, or all of them without an origin."""
    return images.filter(of_story__isnull=origin == UPLOADED) if origin in (OF_STORIES, UPLOADED) else images


class LibraryFilters(ImagesFilterSet):
    origin = django_filters.ChoiceFilter(label=_("From"), choices=ORIGINS, method="filter_origin")
    description = django_filters.ChoiceFilter(
        label=_("Description"), choices=[("missing", _("Missing"))], method="filter_description"
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take out Wagtail's filter by a range of use counts."""
        super().__init__(*args, **kwargs)
        del self.filters["usage_count"]

    def filter_origin(self, images: QuerySet[Image], name: str, value: str) -> QuerySet[Image]:
        return filter_by_origin(images, value)

    def filter_description(self, images: QuerySet[Image], name: str, value: str) -> QuerySet[Image]:
        return images.filter(description="")


class LibraryList(LimitedSearch, IndexView):
    """Wagtail's page, in our words. A picture of a story says so, and why it may not be chosen elsewhere."""

    ORDERING_OPTIONS = {
        "-created_at": _("Newest first"),
        "created_at": _("Oldest first"),
        "title": _("Title, A to Z"),
        "-title": _("Title, Z to A"),
    }
    filterset_class = LibraryFilters
    search_backend_name = None
    search_fields = SEARCHED_FIELDS
    purpose = _(
        "The images of your stories are kept here, and those that you upload. Choose them in stories and issues."
    )

    def get_base_queryset(self) -> QuerySet[Image]:
        images: QuerySet[Image] = super().get_base_queryset().select_related("of_story__story__same_as")
        return images

    def decorate_paginated_queryset(self, object_list: object) -> object:
        images = super().decorate_paginated_queryset(object_list)
        for image in images:
            image.origin_label = label_origin(image)
        return images

    @property
    def columns(self) -> list[BaseColumn]:
        columns = [column for column in super().columns if column.name != "collection"]
        return [*columns, Column("origin", label=gettext("From"), accessor=label_origin)] if columns else []


def label_origin(image: Image) -> str:
    """Return that a picture is of a story, and why other parts of an issue may not show it; "" for an upload."""
    if not hasattr(image, "of_story"):
        return ""
    story = image.of_story.story
    if story is None:
        return gettext("Its story was deleted")
    reason = find_use_restriction(story, channel=EMAIL, at=timezone.now(), required=False)
    return gettext("Of a story that %(reason)s") % {"reason": translate(reason)} if reason else gettext("Of a story")
