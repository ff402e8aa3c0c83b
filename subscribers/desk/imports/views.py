"""The pages of imports in the desk: all of them, a new one, and where one stands. Each page calls a service or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView, View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from subscribers.desk.imports.forms import FileForm, TermsForm
from subscribers.desk.imports.labels import describe_columns, label_outcomes, label_refusal_reasons, label_undone
from subscribers.importing.reading.encodings import ENCODINGS
from subscribers.importing.reading.layouts import find_layout
from subscribers.importing.writing.import_steps import create_draft_import, read_samples, set_import_terms
from subscribers.models import ImportBatch, ImportKind, ImportState

SHOWN = 100
REQUIRED_PERMISSION = "subscribers.add_importbatch"
BATCHES = ImportBatch.objects.select_related("mailing_list")
_AT_WORK = (ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)
_TONES = {
    ImportState.DRAFT: "waits",
    ImportState.CHECKING: "busy",
    ImportState.CHECKED: "waits",
    ImportState.RUNNING: "busy",
    ImportState.FINISHED: "good",
    ImportState.UNDOING: "busy",
    ImportState.UNDONE: "off",
    ImportState.FAILED: "held",
}


class RequiresImportPermission:
    """Only who looks after the people gets near a file of them."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(REQUIRED_PERMISSION):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class ImportPage(RequiresImportPermission, WagtailAdminTemplateMixin, TemplateView):
    header_icon = "download"
    page_title = gettext_lazy("Imports")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("people:index"), "label": _("Subscribers")},
            {"url": reverse("subscribers_imports"), "label": _("Imports")},
            {"url": "", "label": self.get_page_title()},
        ]


class Imports(ImportPage):
    """Every import, the newest first."""

    template_name = "desk/imports/all.html"

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [*super().get_breadcrumbs_items()[:2], {"url": "", "label": _("Imports")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = [
            {"batch": batch, "tone": _TONES[ImportState(batch.state)], "counts": batch.counts or batch.checked}
            for batch in BATCHES.defer("mapping")[:SHOWN]
        ]
        return {**super().get_context_data(**kwargs), "rows": rows, "now": timezone.now()}


class NewImport(ImportPage):
    """Takes a file and goes on to its columns."""

    template_name = "desk/imports/new.html"
    page_title = gettext_lazy("Import a file")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = FileForm(request.POST, request.FILES)
        if form.is_valid():
            given = form.cleaned_data
            try:
                batch = create_draft_import(
                    file=given["file"],
                    name=given["file"].name,
                    mailing_list=given["mailing_list"],
                    by=request.user.get_username(),
                    now=timezone.now(),
                )
            except DomainError as error:
                form.add_error("file", translate(error))
            else:
                _log_step(request, batch, step="import_left", data={"list": batch.mailing_list.slug})
                return redirect("subscribers_import_terms", batch.pk)
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "form": kwargs.get("form") or FileForm()}


class ImportDetailPage(ImportPage):
    """What is common to the pages of one import."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.batch = BATCHES.filter(pk=kwargs["pk"]).first() if request.user.has_perm(REQUIRED_PERMISSION) else None
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        batch = self.batch
        return (batch.file_name or _("Import %(pk)s") % {"pk": batch.pk}) if batch else _("Import")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        batch = get_object_or_404(BATCHES, pk=self.kwargs["pk"])
        return {
            **super().get_context_data(**kwargs),
            "batch": batch,
            "tone": _TONES[ImportState(batch.state)],
            "encoding": translate(ENCODINGS.get(batch.encoding, batch.encoding)),
            "layout": find_layout(batch.layout),
        }


class ImportTerms(ImportDetailPage):
    """What each column is, who the people are, and why they may be mailed. A yes has the file checked."""

    template_name = "desk/imports/terms.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        batch = get_object_or_404(BATCHES, pk=kwargs["pk"])
        if not batch.stored or batch.state in (ImportState.RUNNING, ImportState.UNDOING):
            return redirect("subscribers_import", batch.pk)
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        batch = get_object_or_404(BATCHES, pk=kwargs["pk"])
        if not batch.stored:
            return redirect("subscribers_import", batch.pk)
        form = TermsForm(request.POST, batch=batch, samples=read_samples(batch))
        if form.is_valid():
            try:
                set_import_terms(batch, terms=form.terms(), now=timezone.now())
            except DomainError as error:
                form.add_error(None, translate(error))
            else:
                _log_step(request, batch, step="import_terms", data={"kind": batch.kind, "basis": batch.basis})
                return redirect("subscribers_import", batch.pk)
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = kwargs.get("form") or self._form(context["batch"])
        return {**context, "form": form}

    def _form(self, batch: ImportBatch) -> TermsForm:
        chosen = batch.state != ImportState.DRAFT
        return TermsForm(
            batch=batch,
            samples=read_samples(batch),
            initial={
                "kind": batch.kind,
                "basis": batch.basis if chosen else "",
                "evidence": batch.evidence.partition("\n")[0],
                "collected_on": batch.collected_on,
                "expires_on": batch.expires_on,
                "confirm": batch.confirm,
                "encoding": batch.encoding,
            },
        )


class ImportStatusPage(ImportDetailPage):
    """Where an import stands, and what can be done with it now."""

    template_name = "desk/imports/show.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if get_object_or_404(BATCHES, pk=kwargs["pk"]).state == ImportState.DRAFT:
            return redirect("subscribers_import_terms", kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        batch = context["batch"]
        found = batch.checked if batch.state in (ImportState.CHECKING, ImportState.CHECKED) else batch.counts
        return {
            **context,
            "joins": batch.kind == ImportKind.JOIN,
            "numbers": label_outcomes(found),
            "reasons": label_refusal_reasons(found),
            "noted": found.get("noted", 0),
            "notes": sorted(found.get("notes", []))[:20],
            "refusals": found.get("refusals", [])[:20]
            if batch.state == ImportState.CHECKED
            else batch.refusals.all()[:20],
            "rows": found.get("rows", 0),
            "new": found.get("new", 0),
            "barred": found.get("barred", 0),
            "columns": describe_columns(batch),
            "undone": label_undone(batch),
            "progress": measure(batch) if batch.state in _AT_WORK else None,
        }


class ImportProgress(RequiresImportPermission, View):
    """Numbers for the page that watches; see `measure`."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        response = JsonResponse(measure(get_object_or_404(BATCHES, pk=pk)).as_json())
        response["Cache-Control"] = "no-store"
        return response


@dataclass(frozen=True)
class Progress:
    """`version` changes when the page must be drawn anew."""

    done: int
    lines: int
    words: str
    version: str

    def as_json(self) -> dict[str, Any]:
        return {"done": self.done, "lines": self.lines, "words": self.words, "version": self.version}


def measure(batch: ImportBatch) -> Progress:
    """How far the work on an import is."""
    lines = max(batch.lines - 1, batch.rows_done, 1)
    if batch.state == ImportState.UNDOING:
        undone = batch.counts.get("undone", {})
        done = sum(int(undone.get(name, 0)) for name in ("removed", "ended", "lifted"))
        lines = max(sum(int(batch.counts.get(name, 0)) for name in ("new", "barred")), done, 1)
        return Progress(
            done,
            lines,
            ngettext("%(done)s of about %(lines)s person", "%(done)s of about %(lines)s people", lines)
            % {"done": f"{done:,}", "lines": f"{lines:,}"},
            batch.state,
        )
    return Progress(
        batch.rows_done,
        lines,
        ngettext("%(rows_done)s of about %(lines)s line", "%(rows_done)s of about %(lines)s lines", lines)
        % {"rows_done": f"{batch.rows_done:,}", "lines": f"{lines:,}"},
        batch.state,
    )


def record_step(request: HttpRequest, batch: ImportBatch, *, step: str, message: str) -> None:
    """Puts a step on record and says it on the next page."""
    _log_step(request, batch, step=step)
    messages.success(request, message)


def _log_step(request: HttpRequest, batch: ImportBatch, *, step: str, data: Mapping[str, str] | None = None) -> None:
    record = {"import": batch.pk, "file": batch.file_name, **(data or {})}
    log(instance=batch, action=f"subscribers.{step}", user=request.user, data=record)
