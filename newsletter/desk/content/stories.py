"""Stories in the desk: the list, the editor, and the preview as the lead story of an email."""

import secrets

import django_filters  # type: ignore[import-untyped]
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import PreviewOnCreateView

from newsletter.common.errors import NotReady
from newsletter.common.text import escape_merge_fields
from newsletter.common.translation import language_label, translate
from newsletter.desk.content.add_translation import AddTranslationMixin
from newsletter.desk.content.choosers import NoncedImageChooser, StoryChooser
from newsletter.desk.content.content_forms import StoryForm
from newsletter.desk.content.withdrawals import reach_context
from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import IframePreview, PreviewedCreateView, PreviewedEditView
from newsletter.desk.shell.delete_shown import describe_return
from newsletter.desk.shell.panels import TemplatePanel, label_edited_fields
from newsletter.issues.corrections.people_of_story import find_reach
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.exposure import find_issues_only_in_files
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.snapshot.revisions import SEALED_STATES
from newsletter.issues.variants.unreached import find_root
from newsletter.models import Issue, Publication, Source, Story, StoryPlacement
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.listing import DateTimeColumn, DeskViewSet
from subscribers.models import Topic


class StoryFilters(WagtailFilterSet):
    source = django_filters.ModelChoiceFilter(queryset=Source.objects.all())
    topics = django_filters.ModelChoiceFilter(queryset=Topic.objects.all(), label=_("Topic"))

    class Meta:
        model = Story
        fields = ["source", "topics", "language"]


MODES = [Mode(DEFAULT_MODE, _("In the email"))]
UNSAVED_PK = 0


class StoryEditView(EditEffectsMixin, VersionedEditMixin, PreviewedEditView):
    def list_modes(self) -> list[Mode]:
        return MODES


class StoryCreateView(AddTranslationMixin, AddRowMixin, PreviewedCreateView):
    add_title = _("Add a story")
    copied_fields = ("topics", "case")

    def list_modes(self) -> list[Mode]:
        return MODES


class StoryPreview(IframePreview):
    def show(self, mode: str) -> HttpResponse:
        story: Story = self.object
        return show_mail_part(make_preview_content(story), mode=mode or DEFAULT_MODE, request=self.request)


class NewStoryPreview(StoryPreview, PreviewOnCreateView):
    def show(self, mode: str) -> HttpResponse:
        story: Story = self.object
        if not story.title:
            raise NotReady(gettext("Give the story a title to see it here."))
        story.pk = UNSAVED_PK
        return super().show(mode)


def make_preview_content(story: Story) -> IssueContent:
    """Return the content of an issue with this story alone, including unsaved edits.

    Raise NotReady if there is no publication.
    """
    publications = Publication.objects.select_related("brand", "mailing_list")
    publication = publications.filter(language=story.language).first() or publications.first()
    if publication is None:
        raise NotReady(
            gettext("There is no publication yet, so we cannot show the story in an email. Add one under Publications.")
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


def origin_panel_context(story: Story) -> dict[str, object]:
    """Return the story's source, the fields that staff edited, and the issues that show it.

    No unsent issue shows a withdrawn story. ``sent_issues`` are those of the page that withdraws it. Nobody can have it from
    ``fixed_issues``: their send goes to nobody with it, or has not reached them yet.
    """
    placed = StoryPlacement.objects.filter(story=story).select_related("issue__publication")
    issues = [placement.issue for placement in placed]
    sealed = [issue for issue in issues if issue.state in SEALED_STATES]
    sent = [reached.issue for reached in find_reach(story)]
    fixed = [issue for issue in sealed if issue.state != Issue.State.CANCELLED and find_root(issue) not in sent]
    only_in_files = find_issues_only_in_files(fixed)
    is_withdrawn = Story.objects.withdrawn().filter(pk=story.pk).exists()
    return {
        "row": story,
        "open_issues": [] if is_withdrawn else [issue for issue in issues if issue.state not in SEALED_STATES],
        "sent_issues": sent,
        "fixed_issues": [issue for issue in fixed if issue not in only_in_files],
        "written_issues": [issue for issue in fixed if issue in only_in_files],
        "edited": label_edited_fields(story),
    }


def consent_panel_context(story: Story) -> dict[str, object]:
    """Return why the story cannot be shown today, if so, and how many people have it already.

    ``story`` has the values of a form that may not have been saved.
    """
    stored = Story.objects.select_related("translation_of").get(pk=story.pk)
    return {"row": story, "restriction": _describe_restriction(stored), **reach_context(story)}


def label_restriction(story: Story) -> str:
    """Return “Withdrawn” or why the story cannot be shown today; empty if it can."""
    return gettext("Withdrawn") if story.withdrawn_at is not None else capfirst(_describe_restriction(story))


def _describe_restriction(story: Story) -> str:
    restriction = find_display_restriction(make_consent_record(story), channel=EMAIL, at=timezone.now())
    return translate(restriction) if restriction else ""


class DeleteStory(RefuseUsedDelete):
    reason = _("Nothing was deleted. Issues have this story, and their delivery summaries and the archive name it.")
    advice = _("To keep it out of other issues, or to take it out of these, withdraw it.")

    def list_consequences(self) -> list[str]:
        returns = describe_return(self.object.source)
        return [*returns, *([gettext("To keep it out of every issue, withdraw it instead.")] if returns else [])]


class StoryViewSet(DeskViewSet):
    model = Story
    purpose = _("Stories come from your sources, or you write them here. Each issue shows the newest ones.")
    icon = "doc-full"
    menu_order = 110
    add_to_admin_menu = True
    base_url_path = "stories"
    chooser_viewset_class = StoryChooser
    copy_view_enabled = False
    add_view_class = StoryCreateView
    preview_on_add_view_class = NewStoryPreview
    delete_view_class = DeleteStory
    edit_view_class = StoryEditView
    edit_template_name = "desk/editor.html"
    preview_on_edit_view_class = StoryPreview
    filterset_class = StoryFilters
    search_fields = ["title", "teaser"]
    list_per_page = 30
    list_display = [
        "title",
        Column("source", label=_("Source"), sort_key="source__name"),
        Column(
            "language", label=_("Language"), accessor=lambda story: language_label(story.language), sort_key="language"
        ),
        DateTimeColumn("published_at", label=_("Published"), sort_key="published_at"),
        Column("restriction", label=_("Restrictions"), accessor=label_restriction),
        Column("edited", label=_("Edited here"), accessor=lambda story: gettext("yes") if story.edited_fields else ""),
    ]
    edit_handler = ObjectList(
        [
            TemplatePanel(get_context=origin_panel_context, template="desk/panels/story.html", heading=_("Origin")),
            MultiFieldPanel(
                [
                    FieldPanel("title"),
                    FieldPanel(
                        "teaser",
                        help_text=_("The first sentences, shown under the title."),
                    ),
                    FieldPanel(
                        "url",
                        heading=_("Web address"),
                        help_text=_(
                            "The page with the whole story. The mail leads there. No page? Write the text below."
                        ),
                    ),
                    FieldPanel(
                        "text",
                        heading=_("Text"),
                        help_text=_(
                            "Only for a story without a page. The mail leads to it in your archive, or shows all of it if the"
                            " archive is off. Each line is a paragraph."
                        ),
                    ),
                    FieldPanel("library_image", widget=NoncedImageChooser),
                    FieldPanel(
                        "picture_alt",
                        help_text=_("Describe the image in one short sentence, for people who cannot see it."),
                    ),
                ],
                heading=_("Content"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("pseudonyms"),
                    FieldPanel("embargo_until"),
                    FieldPanel("not_in_regions"),
                ],
                heading=_("Safety"),
            ),
            MultiFieldPanel(
                [
                    TemplatePanel(get_context=consent_panel_context, template="desk/panels/consent.html"),
                    FieldPanel("consent_needed"),
                    FieldPanel("about_minor"),
                    FieldRowPanel([FieldPanel("consent_given_by"), FieldPanel("consent_given_on")]),
                    FieldPanel("consent_form_holder"),
                    FieldPanel("consent_channels"),
                    FieldPanel("consent_identity"),
                    FieldPanel("consent_expires_on"),
                ],
                heading=_("The person in the story"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("language"), FieldPanel("translation_of")]),
                    FieldPanel("topics", widget=CheckboxSelectMultiple),
                    FieldPanel("case"),
                    FieldPanel("published_at"),
                ],
                heading=_("Details"),
            ),
        ],
        base_form_class=StoryForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Story]:
        return Story.objects.select_related("source")
