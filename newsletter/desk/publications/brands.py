"""Brands in the desk: the list, the editor, and the preview of a sample email."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList, TitleFieldPanel
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import PreviewOnCreateView

from newsletter.common.archiving import Uses, archive_row, find_active_uses
from newsletter.common.text import escape_merge_fields
from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import IframePreview, PreviewedCreateView, PreviewedEditView
from newsletter.desk.publications.brand_forms import BrandForm, NewBrandForm, colours_panel_context, looks_panel_context
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Brand, Issue, Publication, Story
from subscribers.desk.choosers import PermittedChooserViewSet
from subscribers.desk.editing.archiving import ArchivableEditMixin, ArchivableViewSet, ArchivePage
from subscribers.desk.editing.duplicating import DuplicateView
from subscribers.desk.editing.edit_effects import EditEffectsMixin
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.models import MailingList


class _SampleEmailMixin:
    def list_modes(self) -> list[Mode]:
        return [Mode(DEFAULT_MODE, _("Sample email"))]


class BrandEditView(ArchivableEditMixin, _SampleEmailMixin, EditEffectsMixin, VersionedEditMixin, PreviewedEditView):
    archived_notice = gettext_lazy("“%(row)s” is archived, so only publications that have it already use it.")


class BrandCreateView(_SampleEmailMixin, AddRowMixin, PreviewedCreateView):
    add_title = gettext_lazy("Add a brand")


class DuplicateBrand(DuplicateView, BrandCreateView):
    """The form of a copy, with the logos of the old brand."""

    changes: ClassVar[dict[str, object]] = {"archived": False}


class ArchiveBrand(ArchivePage):
    """Archive a brand, also while publications have it: they keep their look."""

    archive = staticmethod(partial(archive_row, keep_uses=True))
    find_obstacles: Callable[[Brand], list[Uses]] = staticmethod(lambda row: [])
    find_mentions = staticmethod(find_active_uses)
    mentions_text = gettext_lazy("These have it and keep it:")
    consequences = (
        gettext_lazy("Forms do not offer it any more, and it is no longer listed with the others."),
        gettext_lazy("Publications that have it keep it. Their issues look as before."),
        gettext_lazy("Nothing is deleted. You can bring it back at any time."),
    )


class BrandPreview(IframePreview):
    """Show the newest issue with the form's brand."""

    def show(self, mode: str) -> HttpResponse:
        brand: Brand = self.object
        brand.name = brand.name or _("Your organisation")
        return show_mail_part(
            resolve_complete_content(find_preview_issue(brand)), mode=mode or DEFAULT_MODE, request=self.request
        )


class NewBrandPreview(BrandPreview, PreviewOnCreateView):
    pass


def find_preview_issue(brand: Brand) -> Issue:
    """Return the newest issue of this brand, else of any, else one made of the newest story, all with this brand."""
    issues = Issue.objects.select_related("publication__mailing_list", "publication__segment", "slot")
    issue = (
        issues.filter(publication__brand_id=brand.pk).order_by("-made_at").first()
        or issues.order_by("-made_at").first()
        or make_sample_issue(brand)
    )
    issue.publication.brand = brand
    return issue


def make_sample_issue(brand: Brand) -> Issue:
    """Return an unsaved issue with the newest story, for an installation that has no issue yet."""
    publication = Publication.objects.select_related("mailing_list").first()
    if publication is None:
        mailing_list = MailingList(slug="sample", name=brand.name)
        publication = Publication(slug="sample", name=brand.name, mailing_list=mailing_list, from_name=brand.name)
    publication.brand = brand
    story = Story.objects.order_by("-seen_at").first()
    block = ("lead_story", {"story": story, "headline": "", "teaser": "", "picture": None, "link": ""})
    return Issue(
        publication=publication,
        number=1,
        public_id=secrets.token_hex(12),
        made_at=timezone.now(),
        subject=escape_merge_fields(story.title if story else publication.name),
        preheader="",
        body=[block] if story else _make_sample_blocks(publication.name),
    )


def _make_sample_blocks(name: str) -> list[tuple[str, dict[str, str]]]:
    text = _("This is how your emails look: a heading, a text with {link}, and a button.")
    link = format_html('<a href="https://example.org/">{}</a>', _("a link"))
    return [
        ("note", {"heading": _("A heading"), "text": format_html("<p>{}</p>", format_html(text, link=link))}),
        ("button", {"label": name, "url": "https://example.org/"}),
    ]


class BrandChooser(PermittedChooserViewSet):
    creation_form_class = NewBrandForm
    creation_tab_label = gettext_lazy("New brand")
    create_action_label = gettext_lazy("Create brand")


class BrandViewSet(ArchivableViewSet):
    model = Brand
    chooser_viewset_class = BrandChooser
    purpose = gettext_lazy("A brand is how your emails look: the name, address, logo, colours and fonts.")
    archive_page_class = ArchiveBrand
    copy_view_class = DuplicateBrand
    delete_view_class = RefuseUsedDelete
    icon = "sliders"
    menu_label = gettext_lazy("Brands")
    base_url_path = "brand"
    add_view_class = BrandCreateView
    preview_on_add_view_class = NewBrandPreview
    edit_view_class = BrandEditView
    edit_template_name = "desk/editor.html"
    preview_on_edit_view_class = BrandPreview
    list_display = [
        "name",
        Column("website", label=gettext_lazy("Site")),
        Column("postal_address", label=gettext_lazy("Postal address")),
    ]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    TitleFieldPanel("name", targets=["slug"], classname="", placeholder=False),
                    FieldPanel("postal_address"),
                ],
                heading=gettext_lazy("The organisation"),
            ),
            MultiFieldPanel(
                [TemplatePanel(get_context=looks_panel_context, template="desk/panels/looks.html", for_new=True)],
                heading=gettext_lazy("Finished looks"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("colour"), FieldPanel("accent"), FieldPanel("background")]),
                    TemplatePanel(get_context=colours_panel_context, template="desk/panels/colours.html"),
                ],
                heading=gettext_lazy("Colours"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("font"), FieldPanel("heading_font")]),
                    FieldPanel("masthead"),
                    FieldPanel("radius"),
                ],
                heading=gettext_lazy("Fonts and corners"),
            ),
            MultiFieldPanel(
                [
                    TemplatePanel(get_context=colours_panel_context, template="desk/panels/logos.html"),
                    FieldRowPanel([FieldPanel("logo_file"), FieldPanel("logo_dark_file")]),
                ],
                heading=gettext_lazy("Logo"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("website"),
                    FieldPanel("privacy_url"),
                    FieldPanel("donate_url"),
                    FieldPanel("donor_portal_url"),
                    FieldPanel("social"),
                    FieldPanel("gift_hosts"),
                ],
                heading=gettext_lazy("Links"),
            ),
            MultiFieldPanel([FieldPanel("text_links")], heading=gettext_lazy("Plain text")),
            MultiFieldPanel(
                [
                    FieldPanel(
                        "slug",
                        heading=gettext_lazy("Short name"),
                        help_text=gettext_lazy(
                            "Made from the name if you leave it empty. The organisation’s file changes the brand “default”,"
                            " or the only one."
                        ),
                    )
                ],
                heading=gettext_lazy("Advanced"),
                classname="collapsed",
            ),
        ],
        base_form_class=BrandForm,
    )
