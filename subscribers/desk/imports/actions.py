"""The steps of an import (run, undo, discard) and the download of its refused lines."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from subscribers.desk.csv_response import stream_csv
from subscribers.desk.imports.views import BATCHES, REQUIRED_PERMISSION, ImportDetailPage, log_step
from subscribers.desk.person_actions import REVEAL_PERMISSION, require_permission
from subscribers.exporting.export_requests import CannotExport, record_disclosure
from subscribers.importing.writing.import_steps import discard_import, start_run
from subscribers.importing.writing.refused_file import format_refused_rows
from subscribers.importing.writing.undo import request_undo
from subscribers.models import Disclosure, ImportBatch

LOG_ACTIONS = {
    "import_left": (gettext_lazy("Upload a file to import"), gettext_lazy("File to import uploaded")),
    "import_terms": (gettext_lazy("Choose columns and legal basis"), gettext_lazy("Columns and legal basis chosen")),
    "import": (gettext_lazy("Import people"), gettext_lazy("Import started")),
    "import_undo": (gettext_lazy("Undo an import"), gettext_lazy("Import undone")),
    "import_discard": (gettext_lazy("Delete an import"), gettext_lazy("Import deleted")),
    "import_refused": (gettext_lazy("Download refused lines"), gettext_lazy("Refused lines downloaded")),
    "export": (gettext_lazy("Export people"), gettext_lazy("People exported")),
    "export_asked": (gettext_lazy("Ask to export people"), gettext_lazy("Asked to export people")),
    "export_allowed": (gettext_lazy("Allow an export"), gettext_lazy("Export allowed")),
    "export_person": (gettext_lazy("Download a person’s data"), gettext_lazy("Data of a person downloaded")),
}
"""Label and message of each action in the staff log."""


class ConfirmUndoPage(ImportDetailPage):
    """Ask for confirmation before an import is undone, with the numbers. Changes nothing."""

    template_name = "desk/imports/undo.html"

    def get_page_title(self) -> str:
        return _("Undo import: %(file)s") % {"file": super().get_page_title()}


@require_POST
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Run one step of an import, then show its page with a message."""
    require_permission(request, REQUIRED_PERMISSION)
    batch = get_object_or_404(BATCHES, pk=pk)
    try:
        with transaction.atomic():
            log_action, message = _STEPS[step](request, batch)
            log_step(request, batch, step=log_action)
    except DomainError as error:
        messages.error(request, translate(error))
        return redirect("subscribers_import", pk)
    messages.success(request, message)
    return redirect("subscribers_imports") if step == "discard" else redirect("subscribers_import", pk)


def _run(request: HttpRequest, batch: ImportBatch) -> tuple[str, str]:
    start_run(batch, now=timezone.now())
    return "import", _("The import has started. You can leave this page; the import continues.")


def _undo(request: HttpRequest, batch: ImportBatch) -> tuple[str, str]:
    request_undo(batch, by=request.user.get_username())
    return "import_undo", _("The import is being undone.")


def _discard(request: HttpRequest, batch: ImportBatch) -> tuple[str, str]:
    discard_import(batch)
    return "import_discard", _("“%(name)s” is deleted. Nobody was imported from it.") % {"name": batch.file_name}


_STEPS: dict[str, Callable[[HttpRequest, ImportBatch], tuple[str, str]]] = {
    "run": _run,
    "undo": _undo,
    "discard": _discard,
}
STEPS = tuple(_STEPS)


@require_GET
def download_refused(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Send the refused lines in the columns of the file, to be corrected and imported again.

    The person who uploaded the file has its people already. For anybody else it counts as a disclosure.
    """
    require_permission(request, REQUIRED_PERMISSION, REVEAL_PERMISSION)
    batch = get_object_or_404(BATCHES, pk=pk)
    refused = batch.refusals.count()
    if refused and batch.by != request.user.get_username():
        kind = Disclosure.Kind.REFUSED_LINES
        try:
            record_disclosure(by=request.user, kind=kind, people=refused, about=batch.pk, now=timezone.now())
        except CannotExport as error:
            advice = _("The person who uploaded the file can download its refused lines.")
            messages.error(request, f"{translate(error)} {advice}")
            return redirect("subscribers_import", batch.pk)
    log(instance=batch, action="subscribers.import_refused", user=request.user, data={"import": batch.pk})
    lines = batch.refusals.order_by("line").iterator(chunk_size=2_000)
    rows = format_refused_rows(header=batch.header, rows=lines, language=get_language() or "en")
    return stream_csv(rows, file_name=f"refused-lines-of-import-{batch.pk}.csv")
