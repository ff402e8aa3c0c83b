"""Tag several pictures of the library, or move them into a collection: Wagtail's pages, with an entry in the staff log.

Their address is below that of the library, so that the menu marks Images.
"""

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.urls import re_path
from wagtail.admin.views.bulk_action.dispatcher import index
from wagtail.images.models import AbstractImage
from wagtail.images.views.bulk_actions import AddTagsBulkAction, AddToCollectionBulkAction
from wagtail.log_actions import log

BULK_PAGES = re_path(
    r"^images/bulk/(?P<app_label>wagtailimages)/(?P<model_name>\w+)/(?P<action>\w+)/$",
    index,
    name="wagtail_bulk_action",
)


class TagPictures(AddTagsBulkAction):
    def get_execution_context(self) -> dict[str, object]:
        return {**super().get_execution_context(), "by": self.request.user}

    @classmethod
    def execute_action(
        cls, images: list[AbstractImage], *, by: User | AnonymousUser, tags: list[str], **kwargs: object
    ) -> tuple[int, int]:
        with transaction.atomic():
            done: tuple[int, int] = super().execute_action(images, tags=tags, **kwargs)
            _log_edits(images, by=by)
        return done


class MovePictures(AddToCollectionBulkAction):
    def get_execution_context(self) -> dict[str, object]:
        return {**super().get_execution_context(), "by": self.request.user}

    @classmethod
    def execute_action(
        cls, images: list[AbstractImage], *, by: User | AnonymousUser, collection: object, **kwargs: object
    ) -> tuple[int, int]:
        with transaction.atomic():
            done: tuple[int, int] = super().execute_action(images, collection=collection, **kwargs)
            _log_edits(images, by=by)
        return done


def _log_edits(images: list[AbstractImage], *, by: User | AnonymousUser) -> None:
    for image in images:
        log(instance=image, action="wagtail.edit", user=by)
