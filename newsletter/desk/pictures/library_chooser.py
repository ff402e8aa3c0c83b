"""The chooser of pictures. It offers no picture of a story that the issue may not show."""

from datetime import datetime

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.images.models import Image
from wagtail.images.views.chooser import ImageChooseResultsView, ImageChooserViewSet, ImageChooseView

from newsletter.desk.content.choosers import find_edited_issue
from newsletter.desk.pictures.library_list import ORIGINS, SEARCHED_FIELDS, filter_by_origin
from newsletter.desk.pictures.logged_uploads import LoggedChooserUpload
from newsletter.desk.shell.search_fields import ChooserSearch
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.content_links import find_use_restriction
from newsletter.models import Story


class LibrarySearch(ChooserSearch):
    fields_to_search = SEARCHED_FIELDS
    origin = forms.ChoiceField(
        label=_("From"),
        choices=[("", _("Stories and uploads")), *ORIGINS],
        required=False,
        widget=forms.Select(attrs={"data-chooser-modal-search-filter": True}),
    )

    def filter(self, objects: QuerySet[Image]) -> QuerySet[Image]:
        return filter_by_origin(super().filter(objects), self.cleaned_data["origin"])


class _LibraryChoices:
    """Both views of the chooser."""

    def get_filter_form(self) -> LibrarySearch:
        return LibrarySearch(self.request.GET)  # type: ignore[attr-defined]

    def get_object_list(self) -> QuerySet[Image]:
        issue = find_edited_issue(self.request)  # type: ignore[attr-defined]
        restricted = find_restricted_stories(
            at=max(timezone.now(), (issue and issue.due_at) or timezone.now()),
            required=bool(issue and issue.publication.consent_required),
        )
        images: QuerySet[Image] = super().get_object_list()  # type: ignore[misc]
        lost = Q(of_story__isnull=False, of_story__story__isnull=True)
        return images.exclude(lost | Q(of_story__story__in=restricted))


def find_restricted_stories(*, at: datetime, required: bool) -> list[int]:
    """Return the ids of the stories with pictures whose pictures no other part of an issue may show at that moment."""
    unrestricted = Q(
        consent_needed=False,
        about_minor=False,
        embargo_until=None,
        withdrawn_at=None,
        gone_at=None,
        translation_of=None,
        not_in_regions=[],
    )
    stories = Story.objects.filter(images__isnull=False)
    checked = stories if required else stories.exclude(unrestricted)
    return [story.pk for story in checked if find_use_restriction(story, channel=EMAIL, at=at, required=required)]


class ChoosePicture(_LibraryChoices, ImageChooseView):
    pass


class ChoosePictureResults(_LibraryChoices, ImageChooseResultsView):
    pass


class _LibraryChooser(ImageChooserViewSet):
    choose_view_class = ChoosePicture
    choose_results_view_class = ChoosePictureResults
    create_view_class = LoggedChooserUpload


library_chooser = _LibraryChooser("wagtailimages_chooser", model=Image, url_prefix="images/chooser")
