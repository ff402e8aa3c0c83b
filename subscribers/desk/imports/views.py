"""The pages of imports: the list, the upload, columns and legal basis, and the state of one import."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from subscribers.desk.imports.forms import NewImportForm, TermsForm
from subscribers.desk.imports.labels import (
    describe_columns,
    label_choices,
    label_outcomes,
    label_refusal_reasons,
    label_start,
    label_undone,
)
from subscribers.desk.imports.progress import measure_progress
from subscribers.desk.people_page import MAX_ROWS_SHOWN, PeoplePage
from subscribers.desk.person_actions import require_permission
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.export_formats import find_layout
from subscribers.importing.reading.file_format import ENCODINGS, UTF8_ENCODINGS
from subscribers.importing.reading.pasted_people import read_typed_people
from subscribers.importing.reading.people_file import FileSample
from subscribers.importing.writing.import_steps import create_draft_import, read_sample, set_import_terms
from subscribers.importing.writing.report import iter_stored_notes
from subscribers.importing.writing.restarts import has_changed_people
from subscribers.models import Basis, ImportBatch, ImportKind, ImportState, MailingList
from subscribers.people.location_labels import translate_note
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.places.regions import country_label

MAX_LINES_SHOWN = 20
MAX_LINES_WITHOUT_SUMMARY = 5
"""With so few refused lines, each says why; a table of reasons would repeat it."""
REQUIRED_PERMISSION = "subscribers.add_importbatch"
BATCHES = ImportBatch.objects.select_related("mailing_list")
_WORKING_STATES = (ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)
_ON_LIST = ("new", "updated", "unchanged", "waiting")
BUTTONS_HOOK = "construct_import_buttons"
"""The Wagtail hook for more buttons on the page of a finished import. Each function takes the request and returns Buttons."""
_TAG_CLASSES = {
    ImportState.DRAFT: "waits",
    ImportState.CHECKING: "busy",
    ImportState.CHECKED: "waits",
    ImportState.RUNNING: "busy",
    ImportState.FINISHED: "good",
    ImportState.UNDOING: "busy",
    ImportState.UNDONE: "off",
    ImportState.FAILED: "held",
}
"""The end of the CSS class that each state is shown with."""


class ImportPage(PeoplePage):
    header_icon = "download"
    page_title = gettext_lazy("Imports and exports")
    required_permission = REQUIRED_PERMISSION


class ImportSubpage(ImportPage):
    """A page below the list of imports."""

    def list_parents(self) -> list[tuple[str, str]]:
        return [*super().list_parents(), (_("Imports and exports"), reverse("subscribers_imports"))]


class ImportListPage(ImportPage):
    """List imports, the newest first."""

    template_name = "desk/imports/all.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        rows = [
            {
                "batch": batch,
                "tag_class": _TAG_CLASSES[ImportState(batch.state)],
                "counts": batch.counts or batch.checked,
            }
            for batch in BATCHES.defer("mapping")[:MAX_ROWS_SHOWN]
        ]
        return {**super().get_context_data(**kwargs), "rows": rows}


class NewImportPage(ImportSubpage):
    """Store a file, or typed people as one, and go on to its columns."""

    template_name = "desk/imports/new.html"
    page_title = gettext_lazy("Add people")

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = NewImportForm(request.POST, request.FILES)
        if form.is_valid():
            fields = form.cleaned_data
            typed = None if fields["file"] else read_typed_people(fields["typed"])
            try:
                batch = create_draft_import(
                    file=typed.file if typed else fields["file"],
                    name=_("Typed people") if typed else fields["file"].name,
                    mailing_list=fields["mailing_list"],
                    by=request.user.get_username(),
                    now=timezone.now(),
                    typed=typed is not None and not typed.has_own_header,
                )
            except DomainError as error:
                form.add_error("file" if fields["file"] else "typed", translate(error))
            else:
                log_step(request, batch, step="import_left", data={"list": batch.mailing_list.slug})
                return redirect("subscribers_import_terms", batch.pk)
        return self.refuse(form=form)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        form = kwargs.get("form") or NewImportForm()
        has_list = MailingList.objects.filter(archived=False).exists()
        return {**super().get_context_data(**kwargs), "form": form, "has_list": has_list}


class ImportDetailPage(ImportSubpage):
    """A page about one import, `batch`."""

    batch: ImportBatch

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REQUIRED_PERMISSION)
        self.batch = get_object_or_404(BATCHES, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return self.batch.file_name or _("Import %(pk)s") % {"pk": self.batch.pk}

    @property
    def is_plain(self) -> bool:
        """Return True for typed people with an address and at most a name: they have no columns to choose."""
        return self.batch.typed and set(self.batch.mapping) <= {"email", "name"}

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        batch = self.batch
        return {
            **super().get_context_data(**kwargs),
            "batch": batch,
            "tag_class": _TAG_CLASSES[ImportState(batch.state)],
            "encoding": translate(ENCODINGS.get(batch.encoding, batch.encoding)),
            "is_utf8": batch.encoding in UTF8_ENCODINGS,
            "is_plain": self.is_plain,
            "layout": find_layout(batch.layout),
        }


class ImportTermsPage(ImportDetailPage):
    """Ask for the field of each column, who the people are and why they may be emailed. Then start the check."""

    template_name = "desk/imports/terms.html"

    def get_page_title(self) -> str:
        title = super().get_page_title()
        return title if self.is_plain else _("Columns: %(file)s") % {"file": title}

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not self.batch.stored or self.batch.state in (ImportState.RUNNING, ImportState.UNDOING):
            return redirect("subscribers_import", self.batch.pk)
        return self._refuse_damaged_file() or super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        batch = self.batch
        if not batch.stored:
            return redirect("subscribers_import", batch.pk)
        if refused := self._refuse_damaged_file():
            return refused
        form = TermsForm(request.POST, batch=batch, samples=self.sample.values)
        if form.is_valid():
            try:
                set_import_terms(
                    batch, terms=form.terms(), now=timezone.now(), write_entry=partial(log_terms, request, batch)
                )
            except DomainError as error:
                form.add_error(None, translate(error))
            else:
                return redirect("subscribers_import", batch.pk)
        return self.refuse(form=form)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {
            "form": self._make_form(self.sample.values),
            "rows": self.sample.rows,
            "estimate": max(self.batch.lines - 1, 1),
            "choices": label_choices(self.batch),
            **super().get_context_data(**kwargs),
        }

    @cached_property
    def sample(self) -> FileSample:
        return read_sample(self.batch)

    def _refuse_damaged_file(self) -> HttpResponse | None:
        """Return a redirect with the error if the stored file cannot be read. The page of a draft would lead back here."""
        try:
            self.sample  # noqa: B018 - it reads the file
        except BadFile as error:
            messages.error(self.request, translate(error))
            if self.batch.state == ImportState.DRAFT:
                return redirect("subscribers_imports")
            return redirect("subscribers_import", self.batch.pk)
        return None

    def _make_form(self, samples: list[list[str]]) -> TermsForm:
        batch = self.batch
        home_country = get_publishing_hooks().home_country
        return TermsForm(
            batch=batch,
            samples=samples,
            initial={
                "kind": batch.kind,
                "basis": batch.basis if batch.state != ImportState.DRAFT else "",
                "evidence": batch.evidence.rpartition("\n")[0] if batch.basis == Basis.SOFT_OPT_IN else batch.evidence,
                "collected_on": batch.collected_on,
                "expires_on": batch.expires_on,
                "confirm": batch.confirm,
                "encoding": batch.encoding,
                "country": home_country(batch.mailing_list) if batch.state == ImportState.DRAFT else batch.country,
            },
        )


class ImportStatusPage(ImportDetailPage):
    """Show the state of an import and the actions that it allows now."""

    template_name = "desk/imports/show.html"

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if self.batch.state == ImportState.DRAFT:
            return redirect("subscribers_import_terms", self.batch.pk)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        batch = self.batch
        counts = batch.checked if batch.state in (ImportState.CHECKING, ImportState.CHECKED) else batch.counts
        is_checked = batch.state == ImportState.CHECKED
        refusals = counts.get("refusals", []) if is_checked else batch.refusals.values_list("line", "reason")
        added = 1 if batch.typed else 0
        shown_refusals = [(line - added, why) for line, why in refusals[:MAX_LINES_SHOWN]]
        shown_notes = [
            (line - added, translate_note(note), lines - 1)
            for line, note, lines in sorted(iter_stored_notes(counts))[:MAX_LINES_SHOWN]
        ]
        return {
            **super().get_context_data(**kwargs),
            "joins": batch.kind == ImportKind.JOIN,
            "numbers": label_outcomes(counts),
            "reasons": label_refusal_reasons(counts),
            "show_reasons": sum(counts.get("reasons", {}).values()) > MAX_LINES_WITHOUT_SUMMARY,
            "noted": counts.get("noted", 0),
            "updated_before": counts.get("updated_before", 0),
            "unasked": counts.get("unasked", 0),
            "notes": shown_notes,
            "more_notes": counts.get("noted", 0) - sum(1 + more for _, _, more in shown_notes),
            "refusals": shown_refusals,
            "more_refusals": counts.get("refused", 0) - len(shown_refusals) if shown_refusals else 0,
            "rows": counts.get("rows", 0),
            "start": label_start(counts, joins=batch.kind == ImportKind.JOIN),
            "on_list": any(counts.get(name) for name in _ON_LIST),
            "country": country_label(batch.country, language=get_language() or "en") if batch.country else "",
            "more_buttons": [button for offer in hooks.get_hooks(BUTTONS_HOOK) for button in offer(self.request)],
            "columns": describe_columns(batch),
            "has_changed_people": has_changed_people(batch.counts),
            "undone": label_undone(batch),
            "progress": measure_progress(batch) if batch.state in _WORKING_STATES else None,
        }


def show_import_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the script of the status page with the progress as JSON."""
    require_permission(request, REQUIRED_PERMISSION)
    response = JsonResponse(asdict(measure_progress(get_object_or_404(BATCHES, pk=pk))))
    response["Cache-Control"] = "no-store"
    return response


def log_terms(request: HttpRequest, batch: ImportBatch) -> None:
    """Write the decisions about an import into the staff log."""
    log_step(request, batch, step="import_terms", data={"kind": batch.kind, "basis": batch.basis})


def log_step(request: HttpRequest, batch: ImportBatch, *, step: str, data: Mapping[str, str] | None = None) -> None:
    """Write a step into the staff log."""
    details = {"import": batch.pk, "file": batch.file_name, **(data or {})}
    log(instance=batch, action=f"subscribers.{step}", user=request.user, data=details)
