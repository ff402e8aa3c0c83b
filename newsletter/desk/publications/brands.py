"""Brands in the desk: the list, the editor, and the preview of a sample email."""

import secrets

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import PreviewOnCreateView, SnippetViewSet

from newsletter.common.errors import NotReady
from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.editor.voided_approvals import VoidApprovalsMixin
from newsletter.desk.preview.modes import Mode
from newsletter.desk.preview.panel import IframePreview, PreviewedCreateView, PreviewedEditView
from newsletter.desk.publications.brand_forms import BrandForm, colours_panel_context
from newsletter.desk.shell.panels import TemplatePanel
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.issues.snapshot.plain_text import escape_merge_fields
from newsletter.models import Brand, Issue, Publication, Story
from subscribers.desk.choosers import NoncedChooserViewSet
from subscribers.desk.listing import HOME_BREADCRUMB, DeskList


class _SampleEmailMixin:
    def list_modes(self) -> list[Mode]:
        return [Mode(DEFAULT_MODE, _("Sample email"))]


class BrandEditView(_SampleEmailMixin, VoidApprovalsMixin, PreviewedEditView):
    pass


class BrandCreateView(_SampleEmailMixin, PreviewedCreateView):
    pass


class BrandPreview(IframePreview):
    """Show the newest issue with the form's brand."""

    def show(self, mode: str) -> HttpResponse:
        brand: Brand = self.object
        return show_mail_part(
            resolve_complete_content(find_preview_issue(brand)), mode=mode or DEFAULT_MODE, request=self.request
        )


class NewBrandPreview(BrandPreview, PreviewOnCreateView):
    pass


def find_preview_issue(brand: Brand) -> Issue:
    """Return the newest issue of this brand, else of any, else one made of the newest story, all with this brand.

    Raise NotReady if there is no publication.
    """
    issues = Issue.objects.select_related("publication__mailing_list", "publication__segment", "slot")
    issue = (
        issues.filter(publication__brand_id=brand.pk).order_by("-made_at").first()
        or issues.order_by("-made_at").first()
    )
    if issue is None:
        publication = Publication.objects.select_related("mailing_list").first()
        if publication is None:
            raise NotReady(
                _("There is no publication yet, so we cannot show this brand in an email. Add a publication first.")
            )
        story = Story.objects.order_by("-seen_at").first()
        title = story.title if story else publication.name
        block = ("lead_story", {"story": story, "headline": "", "teaser": "", "picture": None, "link": ""})
        issue = Issue(
            publication=publication,
            number=1,
            public_id=secrets.token_hex(12),
            made_at=timezone.now(),
            subject=escape_merge_fields(title),
            preheader="",
            body=[block] if story else [("button", {"label": publication.name, "url": "https://example.org/"})],
        )
    issue.publication.brand = brand
    return issue


class BrandViewSet(SnippetViewSet):
    model = Brand
    chooser_viewset_class = NoncedChooserViewSet
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = DeskList
    icon = "sliders"
    menu_label = gettext_lazy("Brand")
    base_url_path = "brand"
    copy_view_enabled = False
    add_view_class = BrandCreateView
    preview_on_add_view_class = NewBrandPreview
    edit_view_class = BrandEditView
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
                    FieldPanel("name"),
                    FieldPanel("slug", heading=gettext_lazy("Short name")),
                    FieldPanel("postal_address"),
                ],
                heading=gettext_lazy("The organisation"),
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
                    FieldRowPanel([FieldPanel("masthead"), FieldPanel("radius")]),
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
                ],
                heading=gettext_lazy("Links"),
            ),
        ],
        base_form_class=BrandForm,
    )
