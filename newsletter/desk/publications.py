"""Publications and brands in the desk: who gets what, when, from whom, by which rules, in which look."""

from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.snippets.views.snippets import EditView, PreviewOnCreateView, SnippetViewSet, SnippetViewSetGroup

from newsletter.desk.issue_preview import FIRST, show_part
from newsletter.desk.panels import WordsPanel
from newsletter.desk.preview import FramedPreview, Mode, PreviewedCreateView, PreviewedEditView
from newsletter.desk.publication_forms import BrandForm, PublicationForm
from newsletter.desk.readers import resolve_complete
from newsletter.desk.saving import VoidsApprovals
from newsletter.errors import BadSchedule, NotReady
from newsletter.issues.schedule import check_schedule, describe, due_after
from newsletter.models import Brand, Publication
from subscribers.desk.listing import DeskList

NEXT_DATES = 5


def say_schedule(publication: Publication) -> str:
    try:
        check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return str(error)
    return describe(schedule=publication.schedule, zone=publication.zone, lead_hours=publication.lead_hours)


def say_dates(publication: Publication) -> dict[str, Any]:
    """The schedule in words, and the next dates on the publication's own wall clock."""
    words = say_schedule(publication)
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule:
        return {"words": words, "dates": []}
    zone = ZoneInfo(publication.zone)
    due = due_after(timezone.now(), schedule=schedule, zone=publication.zone)
    return {
        "words": words,
        "dates": [f"{one.at.astimezone(zone):%a %-d %b %Y, %H:%M}" for one in islice(due, NEXT_DATES)],
    }


class PublicationEditor(VoidsApprovals, PreviewedEditView):
    def list_modes(self) -> list[Mode]:
        return [Mode(FIRST, "Its newest issue")]


class PublicationPreview(FramedPreview):
    def show(self, mode: str) -> HttpResponse:
        publication: Any = self.object
        issue = publication.issues.order_by("-number").first()
        if issue is None:
            raise NotReady(f"{publication.name} has no issue yet. The first one will be shown here.")
        issue.publication = publication
        return show_part(resolve_complete(issue), mode=mode or FIRST, request=self.request)


class NewPublicationPreview(FramedPreview, PreviewOnCreateView):
    def show(self, mode: str) -> HttpResponse:
        raise NotReady("A new publication has no issue yet. Save it; its first issue will be shown here.")


class BrandEditor(VoidsApprovals, EditView):
    pass


class PublicationViewSet(SnippetViewSet):
    model = Publication
    index_view_class = DeskList
    icon = "mail"
    base_url_path = "publications"
    copy_view_enabled = False
    add_view_class = PreviewedCreateView
    preview_on_add_view_class = NewPublicationPreview
    edit_view_class = PublicationEditor
    preview_on_edit_view_class = PublicationPreview
    search_fields = ["name", "slug"]
    search_backend_name = None
    list_display = [
        "name",
        Column("schedule", label="When", accessor=say_schedule),
        Column("mailing_list", label="List"),
        Column("segment", label="Segment"),
        Column("approval", label="Approval", accessor="get_approval_display"),
        BooleanColumn("enabled", label="In use"),
    ]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [FieldPanel("name"), FieldPanel("slug"), FieldPanel("language"), FieldPanel("enabled")],
                heading="What it is",
            ),
            MultiFieldPanel([FieldPanel("mailing_list"), FieldPanel("segment")], heading="Who gets it"),
            MultiFieldPanel(
                [
                    WordsPanel(say=say_dates, template="desk/panels/schedule.html"),
                    FieldRowPanel([FieldPanel("schedule"), FieldPanel("zone")]),
                    FieldPanel("lead_hours"),
                    FieldRowPanel([FieldPanel("monthly_digest"), FieldPanel("digest_schedule")]),
                    FieldPanel("approval"),
                    FieldRowPanel([FieldPanel("another_approves"), FieldPanel("second_approval_above")]),
                    FieldRowPanel([FieldPanel("quiet_from"), FieldPanel("quiet_until")]),
                    FieldPanel("stale_hours"),
                    FieldRowPanel([FieldPanel("people_per_day"), FieldPanel("warm_up_from")]),
                ],
                heading="When it goes out",
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("from_name"), FieldPanel("from_email")]),
                    FieldPanel("reply_to"),
                    FieldPanel("subject"),
                    FieldPanel("intro"),
                    FieldPanel("brand"),
                ],
                heading="How it looks",
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("stories"), FieldPanel("days_back")]),
                    FieldPanel("topics", widget=CheckboxSelectMultiple),
                    FieldPanel("sources", widget=CheckboxSelectMultiple),
                    FieldPanel("consent_required"),
                ],
                heading="Which stories",
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("events"), FieldPanel("days_ahead"), FieldPanel("radius_km")]),
                    FieldPanel("host_url"),
                ],
                heading="Which events",
            ),
            MultiFieldPanel([FieldPanel("archive")], heading="On the web"),
            MultiFieldPanel([FieldPanel("clicks")], heading="Counting clicks"),
        ],
        base_form_class=PublicationForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        return Publication.objects.select_related("mailing_list", "segment", "brand")


class BrandViewSet(SnippetViewSet):
    model = Brand
    index_view_class = DeskList
    icon = "sliders"
    menu_label = "Brand"
    base_url_path = "brand"
    copy_view_enabled = False
    edit_view_class = BrandEditor
    list_display = ["name", Column("website", label="Site"), Column("postal_address", label="Postal address")]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [FieldPanel("name"), FieldPanel("slug"), FieldPanel("postal_address")], heading="The organisation"
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("colour"), FieldPanel("accent"), FieldPanel("background")]),
                    FieldPanel("font"),
                ],
                heading="The look",
            ),
            MultiFieldPanel(
                [FieldPanel("website"), FieldPanel("donate_url"), FieldPanel("donor_portal_url"), FieldPanel("social")],
                heading="Links",
            ),
        ],
        base_form_class=BrandForm,
    )


class PublicationGroup(SnippetViewSetGroup):
    items = (PublicationViewSet, BrandViewSet)
    menu_label = "Publications"
    menu_icon = "folder-open-inverse"
    menu_order = 150
