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
from newsletter.common.languages import language_label
from newsletter.common.translation import translate
from newsletter.desk.content.choosers import StoryChooser
from newsletter.desk.content.content_forms import StoryForm
from newsletter.desk.content.withdrawals import reach_context
from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.editor.sealed_lock import SEALED_STATES
from newsletter.desk.editor.voided_approvals import VoidApprovalsMixin
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import IframePreview, PreviewedCreateView, PreviewedEditView
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.plain_text import escape_merge_fields
from newsletter.issues.snapshot.resolve import Content, resolve_content
from newsletter.models import Issue, PlacedStory, Publication, Source, Story
from subscribers.desk.listing import HOME_BREADCRUMB, DateTimeColumn, DeskList
from subscribers.models import Topic

_ZONE: Any = lazy(timezone.get_current_timezone_name, str)()


class StoryFilters(WagtailFilterSet):
    source = django_filters.ModelChoiceFilter(queryset=Source.objects.all())
    topics = django_filters.ModelChoiceFilter(queryset=Topic.objects.all(), label=_("Topic"))

    class Meta:
        model = Story
        fields = ["source", "topics", "language"]


MODES = [Mode(DEFAULT_MODE, _("In the mail"))]
UNSAVED_PK = 0
_CLOCK = _("On the desk's clock ({zone}).")


class StoryEditView(VoidApprovalsMixin, PreviewedEditView):
    def list_modes(self) -> list[Mode]:
        return MODES


class StoryCreateView(PreviewedCreateView):
    def list_modes(self) -> list[Mode]:
        return MODES


class StoryPreview(IframePreview):
    def show(self, mode: str) -> HttpResponse:
        story: Any = self.object
        return show_mail_part(make_preview_content(story), mode=mode or DEFAULT_MODE, request=self.request)


class NewStoryPreview(StoryPreview, PreviewOnCreateView):
    def show(self, mode: str) -> HttpResponse:
        story: Any = self.object
        if not story.title:
            raise NotReady(gettext("Give the story a title: then it is shown here as readers get it."))
        story.pk = UNSAVED_PK
        return super().show(mode)


def make_preview_content(story: Story) -> Content:
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
        subject=escape_merge_fields(story.title),
        preheader=escape_merge_fields(story.teaser[:100]),
        body=[("lead_story", {"story": story, "headline": "", "teaser": "", "picture": None})],
    )
    return resolve_content(issue)


def origin_panel_context(story: Story) -> dict[str, Any]:
    """Where the story came from, what staff changed, and which issues show it."""
    placed = PlacedStory.objects.filter(story=story).select_related("issue__publication")
    names = [label_for_field(name, Story) for name in story.edited_fields]
    issues = [place.issue for place in placed]
    return {
        "row": story,
        "issues": [issue for issue in issues if issue.state not in SEALED_STATES],
        "gone_out": [
            issue for issue in issues if issue.state in SEALED_STATES and issue.state != Issue.State.CANCELLED
        ],
        "edited": names,
    }


def consent_panel_context(story: Story) -> dict[str, Any]:
    """What stands against the story today, and how many people have it already."""
    fault = translate(find_display_restriction(make_consent_record(story), channel=EMAIL, at=timezone.now()))
    return {"row": story, "fault": fault, "people": reach_context(story)["people"]}


def label_consent_problem(story: Story) -> str:
    """The story's state of care for a list; nothing where all is well."""
    if story.withdrawn_at is not None:
        return gettext("Withdrawn")
    fault = translate(find_display_restriction(make_consent_record(story), channel=EMAIL, at=timezone.now()))
    return fault[0].upper() + fault[1:] if fault else ""


class StoryViewSet(SnippetViewSet):
    model = Story
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = DeskList
    icon = "doc-full"
    menu_order = 110
    add_to_admin_menu = True
    base_url_path = "stories"
    chooser_viewset_class = StoryChooser
    copy_view_enabled = False
    add_view_class = StoryCreateView
    preview_on_add_view_class = NewStoryPreview
    edit_view_class = StoryEditView
    preview_on_edit_view_class = StoryPreview
    filterset_class = StoryFilters
    search_fields = ["title", "teaser"]
    search_backend_name = None
    list_per_page = 30
    list_display = [
        "title",
        Column("source", label=_("Source"), sort_key="source__name"),
        Column(
            "language", label=_("Language"), accessor=lambda story: language_label(story.language), sort_key="language"
        ),
        DateTimeColumn("published_at", label=_("Published"), sort_key="published_at"),
        Column("care", label=_("Care"), accessor=label_consent_problem),
        Column("edited", label=_("Edited here"), accessor=lambda story: gettext("yes") if story.edited_fields else ""),
    ]
    edit_handler = ObjectList(
        [
            TemplatePanel(
                get_context=origin_panel_context, template="desk/panels/story.html", heading=_("Where it comes from")
            ),
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
                    TemplatePanel(get_context=consent_panel_context, template="desk/panels/care.html"),
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
