"""Stories in the desk: the list, the editor, and the preview as the lead story of the first publication's mail."""

import secrets
from typing import Any

import django_filters  # type: ignore[import-untyped]
from django.contrib.admin.utils import label_for_field
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import PreviewOnCreateView, SnippetViewSet

from newsletter.common.errors import NotReady
from newsletter.common.languages import say_language
from newsletter.common.translation import translate
from newsletter.desk.content.choosers import StoryChooser
from newsletter.desk.content.content_forms import StoryForm
from newsletter.desk.content.withdrawals import say_reach
from newsletter.desk.editor.lock import SEALED
from newsletter.desk.editor.preview import FIRST, show_part
from newsletter.desk.editor.saving import VoidsApprovals
from newsletter.desk.preview.preview import FramedPreview, Mode, PreviewedCreateView, PreviewedEditView
from newsletter.desk.shell.panels import WordsPanel
from newsletter.issues.snapshot.consent_rules import EMAIL, care_of, find_fault
from newsletter.issues.snapshot.plain_text import literal
from newsletter.issues.snapshot.resolve import Content, resolve_content
from newsletter.models import Issue, PlacedStory, Publication, Source, Story
from subscribers.desk.listing import FROM_HOME, DeskList, MomentColumn
from subscribers.models import Topic

_ZONE: Any = lazy(timezone.get_current_timezone_name, str)()


class StoryFilters(WagtailFilterSet):
    source = django_filters.ModelChoiceFilter(queryset=Source.objects.all())
    topics = django_filters.ModelChoiceFilter(queryset=Topic.objects.all(), label=_("Topic"))

    class Meta:
        model = Story
        fields = ["source", "topics", "language"]


MODES = [Mode(FIRST, _("In the mail"))]
UNSAVED = 0
_CLOCK = _("On the desk's clock ({zone}).")


class StoryEditor(VoidsApprovals, PreviewedEditView):
    def list_modes(self) -> list[Mode]:
        return MODES


class StoryMaker(PreviewedCreateView):
    def list_modes(self) -> list[Mode]:
        return MODES


class StoryPreview(FramedPreview):
    def show(self, mode: str) -> HttpResponse:
        story: Any = self.object
        return show_part(content_with(story), mode=mode or FIRST, request=self.request)


class NewStoryPreview(StoryPreview, PreviewOnCreateView):
    def show(self, mode: str) -> HttpResponse:
        story: Any = self.object
        if not story.title:
            raise NotReady(gettext("Give the story a title: then it is shown here as readers get it."))
        story.pk = UNSAVED
        return super().show(mode)


def content_with(story: Story) -> Content:
    """An issue's content that has this story alone, unsaved edits included. Raises NotReady where there is no publication."""
    publications = Publication.objects.select_related("brand", "mailing_list")
    publication = publications.filter(language=story.language).first() or publications.first()
    if publication is None:
        raise NotReady(
            gettext(
                "There is no publication yet, so there is no look to show the story in. Add one under Publications."
            )
        )
    issue = Issue(
        publication=publication,
        number=1,
        public_id=secrets.token_hex(12),
        made_at=timezone.now(),
        subject=literal(story.title),
        preheader=literal(story.teaser[:100]),
        body=[("lead_story", {"story": story, "headline": "", "teaser": "", "picture": None})],
    )
    return resolve_content(issue)


def say_origin(story: Story) -> dict[str, Any]:
    """Where the story came from, what staff changed, and which issues show it."""
    placed = PlacedStory.objects.filter(story=story).select_related("issue__publication")
    names = [label_for_field(name, Story) for name in story.edited_fields]
    issues = [place.issue for place in placed]
    return {
        "row": story,
        "issues": [issue for issue in issues if issue.state not in SEALED],
        "gone_out": [issue for issue in issues if issue.state in SEALED and issue.state != Issue.State.CANCELLED],
        "edited": names,
    }


def say_care(story: Story) -> dict[str, Any]:
    """What stands against the story today, and how many people have it already."""
    fault = translate(find_fault(care_of(story), channel=EMAIL, at=timezone.now()))
    return {"row": story, "fault": fault, "people": say_reach(story)["people"]}


def say_care_shortly(story: Story) -> str:
    """The story's state of care for a list; nothing where all is well."""
    if story.withdrawn_at is not None:
        return gettext("Withdrawn")
    fault = translate(find_fault(care_of(story), channel=EMAIL, at=timezone.now()))
    return fault[0].upper() + fault[1:] if fault else ""


class StoryViewSet(SnippetViewSet):
    model = Story
    breadcrumbs_items = FROM_HOME
    index_view_class = DeskList
    icon = "doc-full"
    menu_order = 110
    add_to_admin_menu = True
    base_url_path = "stories"
    chooser_viewset_class = StoryChooser
    copy_view_enabled = False
    add_view_class = StoryMaker
    preview_on_add_view_class = NewStoryPreview
    edit_view_class = StoryEditor
    preview_on_edit_view_class = StoryPreview
    filterset_class = StoryFilters
    search_fields = ["title", "teaser"]
    search_backend_name = None
    list_per_page = 30
    list_display = [
        "title",
        Column("source", label=_("Source"), sort_key="source__name"),
        Column(
            "language", label=_("Language"), accessor=lambda story: say_language(story.language), sort_key="language"
        ),
        MomentColumn("published_at", label=_("Published"), sort_key="published_at"),
        Column("care", label=_("Care"), accessor=say_care_shortly),
        Column("edited", label=_("Edited here"), accessor=lambda story: gettext("yes") if story.edited_fields else ""),
    ]
    edit_handler = ObjectList(
        [
            WordsPanel(say=say_origin, template="desk/panels/story.html", heading=_("Where it comes from")),
            MultiFieldPanel(
                [FieldPanel("title"), FieldPanel("teaser"), FieldPanel("url", heading=_("Address"))],
                heading=_("What readers see"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel(
                        "picture_alt", help_text=_("For readers who do not see the picture: one short sentence.")
                    ),
                    FieldPanel("pseudonyms"),
                    FieldPanel(
                        "embargo_until",
                        help_text=format_lazy(_("On the desk's clock ({zone})."), zone=_ZONE),
                    ),
                    FieldPanel("not_in_regions"),
                ],
                heading=_("Care"),
            ),
            MultiFieldPanel(
                [
                    WordsPanel(say=say_care, template="desk/panels/care.html"),
                    FieldPanel("consent_needed"),
                    FieldPanel("about_minor"),
                    FieldRowPanel([FieldPanel("consent_given_by"), FieldPanel("consent_given_on")]),
                    FieldPanel("consent_form_holder"),
                    FieldPanel("consent_channels"),
                    FieldPanel("consent_identity"),
                    FieldRowPanel([FieldPanel("consent_expires_on"), FieldPanel("consent_review_on")]),
                ],
                heading=_("The person behind it"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("language"), FieldPanel("author")]),
                    FieldPanel("topics", widget=CheckboxSelectMultiple),
                    FieldPanel("published_at"),
                ],
                heading=_("About it"),
            ),
        ],
        base_form_class=StoryForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Story]:
        return Story.objects.select_related("source")
