"""Segments in the desk: the list, and the builder with its live preview."""

from typing import Any, ClassVar

from django.forms import Media
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList, TitleFieldPanel
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.side_panels import ChecksSidePanel
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import HeaderButton
from wagtail.snippets.views.snippets import CreateView, EditView

from newsletter.common.archiving import Uses
from newsletter.common.errors import BadRule
from newsletter.common.translation import translate
from subscribers.desk.choosers import PermittedChooserViewSet
from subscribers.desk.editing.archiving import ArchivableEditMixin, ArchivableViewSet, ArchivePage
from subscribers.desk.editing.duplicating import DuplicateView
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.short_name_form import ShortNameForm
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.segments.rule_field import RuleField
from subscribers.desk.segments.views import VIEW_SUBSCRIBERS_PERMISSION, NewSegmentPreview, SegmentPreview
from subscribers.models import Segment
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.segments.labels import describe_rule


def describe_segment_rule(segment: Segment) -> str:
    try:
        return describe_rule(segment.rule)
    except BadRule as error:
        return _("Invalid, so it selects nobody: %(error)s") % {"error": translate(error)}


class SegmentForm(ShortNameForm):
    rule = RuleField(
        label=gettext_lazy("Who is in it"),
        help_text=gettext_lazy("People who match all of these conditions. Without conditions, everybody is in it."),
    )

    def clean_rule(self) -> object:
        """Return the stored rule unchanged if nobody edited it, so that its exact form is kept."""
        rule: object = self.cleaned_data["rule"]
        return rule if self["rule"]._has_changed() else self.initial.get("rule", rule)


class _OpenPreviewMixin:
    """Open the preview next to the builder, without Wagtail's checks of web pages."""

    @property
    def media(self) -> Media:
        media: Media = super().media + Media(js=["subscribers/open_preview.js"])  # type: ignore[misc]
        return media

    def get_side_panels(self) -> MediaContainer:
        panels = super().get_side_panels()  # type: ignore[misc]
        return MediaContainer([panel for panel in panels if not isinstance(panel, ChecksSidePanel)])


class SegmentEditView(ArchivableEditMixin, EditEffectsMixin, VersionedEditMixin, _OpenPreviewMixin, EditView):
    def describe_value(self, row: Segment, name: str) -> str:
        return describe_segment_rule(row) if name == "rule" else super().describe_value(row, name)

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        buttons = list(super().header_more_buttons)
        if self.request.user.has_perm(VIEW_SUBSCRIBERS_PERMISSION):
            url = reverse("subscribers_why_in_segment", args=[self.object.pk])
            buttons.append(HeaderButton(_("Why is someone in it?"), url=url, icon_name="help", priority=10))
        return buttons


class SegmentCreateView(AddRowMixin, _OpenPreviewMixin, CreateView):
    add_title = gettext_lazy("Add a segment")


class DuplicateSegment(DuplicateView, SegmentCreateView):
    changes: ClassVar[dict[str, object]] = {"archived": False}


class ArchiveSegment(ArchivePage):
    consequences = (
        gettext_lazy("Forms do not offer it any more, and it is no longer listed with the others."),
        gettext_lazy("Nothing is deleted. You can bring it back at any time."),
    )


class DeleteSegment(RefuseUsedDelete):
    """Delete a segment that no publication or issue is sent to, and that no block is limited to."""

    advice = gettext_lazy(
        "Change that first. Then you can delete it. Or archive it: then forms do not offer it any more, and what uses it stays."
    )

    def find_uses(self) -> list[Uses]:
        return [*super().find_uses(), *get_publishing_hooks().find_limited_blocks("segment", self.object.slug)]


class SegmentViewSet(ArchivableViewSet):
    model = Segment
    chooser_viewset_class = PermittedChooserViewSet
    archive_page_class = ArchiveSegment
    copy_view_class = DuplicateSegment
    delete_view_class = DeleteSegment
    purpose = gettext_lazy(
        "A segment is a part of your subscribers: those who live somewhere, chose a topic, and so on."
    )
    icon = "group"
    menu_label = gettext_lazy("Segments")
    base_url_path = "segments"
    add_view_class = SegmentCreateView
    edit_view_class = SegmentEditView
    preview_on_add_view_class = NewSegmentPreview
    preview_on_edit_view_class = SegmentPreview
    search_fields = ["name", "slug"]
    list_display = ["name", Column("rule", label=gettext_lazy("Who is in it"), accessor=describe_segment_rule)]
    edit_handler = ObjectList(
        [
            TitleFieldPanel("name", targets=["slug"], classname="", placeholder=False),
            FieldPanel("rule", heading=gettext_lazy("Who is in it")),
            MultiFieldPanel([FieldPanel("slug")], heading=gettext_lazy("Advanced"), classname="collapsed"),
        ],
        base_form_class=SegmentForm,
    )
