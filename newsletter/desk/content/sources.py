"""Sources in the desk: the list, and the editor with the last result, the skipped entries and “Look now”."""

import django_filters  # type: ignore[import-untyped]
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.log_actions import log
from wagtail.snippets.views.snippets import CreateView, EditView

from newsletter.common.translation import translate
from newsletter.content.ingesting.ingest import IngestReport
from newsletter.content.ingesting.read_source import name_kind
from newsletter.content.ingesting.source_trial import SourceTrial, read_source_now
from newsletter.desk.content.find_sources import FindSourcePage
from newsletter.desk.content.source_forms import SourceForm, list_event_kinds, list_keyed_kinds, list_kind_choices
from newsletter.desk.shell.panels import RULES, TemplatePanel, show_if_listed
from newsletter.issues.assembly.source_notices import CONSEQUENCE
from newsletter.models import EventNotice, Source
from subscribers.desk.editing.row_pages import AddRowMixin
from subscribers.desk.editing.uses import RefuseUsedDelete
from subscribers.desk.editing.versioned_edits import VersionedEditMixin
from subscribers.desk.listing import DateTimeColumn, DeskViewSet, format_moment

MAX_SKIPPED_SHOWN = 50
MAX_ERROR_LENGTH = 160
MAX_PANEL_ERROR_LENGTH = 1000


def describe_health(source: Source, *, max_length: int = MAX_ERROR_LENGTH) -> str:
    """Return “Working”, or how often in a row and why the source failed: at most ``max_length`` characters of the reason."""
    if source.failures:
        times = _("once") if source.failures == 1 else _("%(failures)s times in a row") % {"failures": source.failures}
        return _("Failed %(times)s, %(last_success)s: %(error)s") % {
            "times": times,
            "last_success": describe_last_success(source),
            "error": Truncator(translate(source.error)).chars(max_length),
        }
    return _("Working") if source.last_success_at else _("Not checked yet")


def describe_last_success(source: Source) -> str:
    return (
        _("last success on %(last_success_at)s")
        % {"last_success_at": format_moment(source.last_success_at, now=timezone.now())}
        if source.last_success_at
        else _("never succeeded")
    )


def source_panel_context(source: Source) -> dict[str, object]:
    entries = list(source.set_aside.all()[: MAX_SKIPPED_SHOWN + 1])
    return {
        "row": source,
        "health": describe_health(source, max_length=MAX_PANEL_ERROR_LENGTH),
        "consequence": translate(CONSEQUENCE) if source.failures else "",
        "entries": entries[:MAX_SKIPPED_SHOWN],
        "more": len(entries) > MAX_SKIPPED_SHOWN,
        "stories": source.stories.count(),
        "events": source.events.count(),
        "unzoned": _count_unzoned(source),
    }


def _count_unzoned(source: Source) -> int:
    """Return how many upcoming events need checking because their times have no zone."""
    if source.floating_zone:
        return 0
    upcoming = EventNotice.objects.filter(source=source, starts_at__gte=timezone.now(), cancelled=False)
    return upcoming.with_open_zone().count()


def show_trial(request: HttpRequest, trial: SourceTrial | None) -> None:
    """Show the first items of a new address to the person who saved it."""
    if trial is None:
        return
    if not trial.items:
        messages.warning(request, _("We can read this address, but it lists nothing at the moment."))
        return
    summary = ngettext(
        "We found %(items)s item at this address. It begins with:",
        "We found %(items)s items at this address. They begin with:",
        trial.items,
    ) % {"items": trial.items}
    titles = format_html_join("", "<li>{}</li>", ((title,) for title in trial.titles))
    messages.info(request, format_html("{}<ul>{}</ul>", summary, titles))


def show_reading(request: HttpRequest, report: IngestReport) -> None:
    """Show the result of a reading to the person who asked for it."""
    if report.error:
        text = _("We could not read %(name)s: %(error)s") % {"name": report.name, "error": translate(report.error)}
        messages.error(request, text)
        return
    facts = {"name": report.name, "new": report.new, "updated": report.updated, "unchanged": report.unchanged}
    messages.success(
        request, _("We read %(name)s just now: %(new)s new, %(updated)s updated, %(unchanged)s unchanged.") % facts
    )
    if report.set_aside:
        messages.warning(request, _("Some entries were skipped. The reasons are below, under “Status”."))


class SourceCreateView(AddRowMixin, CreateView):
    """The whole form, for people who choose the kind by hand. Without ``by_hand`` an address is enough."""

    add_title = gettext_lazy("Add a source by hand")

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if "by_hand" not in request.GET:
            return FindSourcePage.as_view()(request)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def form_valid(self, form: SourceForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        show_trial(self.request, form.trial)
        return response


class SourceEditView(VersionedEditMixin, EditView):
    """“Look now” saves the form like “Save”, so that nothing typed is lost, and then reads the source."""

    def form_valid(self, form: SourceForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if self.differences is not None:
            return response
        show_trial(self.request, form.trial)
        if "look" not in self.request.POST:
            return response
        report = read_source_now(source=self.object, now=timezone.now())
        log(instance=self.object, action="newsletter.read_source", user=self.request.user)
        show_reading(self.request, report)
        return redirect(self.get_edit_url())

    def get_success_message(self) -> str | None:
        return None if "look" in self.request.POST else super().get_success_message()


class SourceFilters(WagtailFilterSet):
    kind = django_filters.ChoiceFilter(label=gettext_lazy("Kind"), choices=list_kind_choices)

    class Meta:
        model = Source
        fields = ["kind", "enabled"]


class DeleteSource(RefuseUsedDelete):
    reason = gettext_lazy("Nothing was deleted. Publications take stories from this source.")
    advice = gettext_lazy("To stop reading it, turn it off. To delete it, first take it out of the publications.")


class SourceViewSet(DeskViewSet):
    model = Source
    purpose = gettext_lazy(
        "A source is a website, feed or calendar. We read it again and again for stories and events."
    )
    icon = "globe"
    menu_label = gettext_lazy("Sources")
    menu_order = 140
    add_to_admin_menu = True
    base_url_path = "sources"
    copy_view_enabled = False
    search_fields = ["name", "url"]
    filterset_class = SourceFilters
    list_display = [
        "name",
        Column("kind", label=gettext_lazy("Kind"), accessor=lambda source: translate(name_kind(source.kind))),
        DateTimeColumn("looked_at", label=gettext_lazy("Last checked"), sort_key="looked_at"),
        Column("health", label=gettext_lazy("Last result"), accessor=describe_health),
        Column("aside", label=gettext_lazy("Skipped"), sort_key="aside"),
        BooleanColumn("enabled", label=gettext_lazy("In use")),
    ]
    add_view_class = SourceCreateView
    delete_view_class = DeleteSource
    edit_view_class = SourceEditView
    edit_handler = ObjectList(
        [
            TemplatePanel(
                get_context=source_panel_context, template="desk/panels/source.html", heading=gettext_lazy("Status")
            ),
            MultiFieldPanel(
                [
                    FieldPanel("name"),
                    FieldPanel(
                        "url",
                        heading=gettext_lazy("Web address"),
                        help_text=gettext_lazy("Your website, or the address of its feed or calendar."),
                    ),
                    FieldPanel("kind"),
                    FieldPanel("key", attrs=show_if_listed("kind", lambda: ["", *list_keyed_kinds()])),
                    FieldPanel("every_minutes", heading=gettext_lazy("How often we look, in minutes")),
                    FieldPanel(
                        "enabled",
                        heading=gettext_lazy("In use"),
                        help_text=gettext_lazy("If you turn this off, we stop checking the source. Its stories stay."),
                    ),
                ],
                heading=gettext_lazy("Source"),
                attrs=RULES,
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("language"), FieldPanel("region")]),
                    FieldPanel(
                        "floating_zone",
                        heading=gettext_lazy("Times without a time zone are in"),
                        help_text=gettext_lazy(
                            "If you choose a zone, we no longer ask you to check such times. A time with a zone that we do"
                            " not know still needs checking."
                        ),
                        attrs=show_if_listed("kind", lambda: ["", *list_event_kinds()]),
                    ),
                    FieldPanel("topics", widget=CheckboxSelectMultiple),
                ],
                heading=gettext_lazy("For everything from this source"),
                attrs=RULES,
            ),
        ],
        base_form_class=SourceForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return Source.objects.annotate(aside=Count("set_aside"))
