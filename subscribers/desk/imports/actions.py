"""What a person decides about an import: bring it in, take it back, throw it away; and the refused lines as a file."""

import csv
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from subscribers.desk.imports.views import BATCHES, REQUIRED_PERMISSION, ImportDetailPage, record_step
from subscribers.desk.person_actions import REVEAL
from subscribers.exporting.export_requests import CannotExport, record_disclosure
from subscribers.importing.writing.import_steps import discard_import, start_run
from subscribers.importing.writing.refused_file import format_refused_rows
from subscribers.importing.writing.undo import request_undo
from subscribers.models import Disclosure, ImportBatch

ACTIONS = {
    "import_left": (gettext_lazy("Leave a file to import"), gettext_lazy("File left to import")),
    "import_terms": (gettext_lazy("Say what a file is"), gettext_lazy("Columns and basis of a file chosen")),
    "import": (gettext_lazy("Import people"), gettext_lazy("Import started")),
    "import_undo": (gettext_lazy("Undo an import"), gettext_lazy("Import taken back")),
    "import_discard": (gettext_lazy("Throw an import away"), gettext_lazy("Import thrown away")),
    "import_refused": (gettext_lazy("Download refused lines"), gettext_lazy("Refused lines downloaded")),
    "export": (gettext_lazy("Export people"), gettext_lazy("People exported")),
    "export_asked": (gettext_lazy("Ask to export people"), gettext_lazy("Asked to export people")),
    "export_allowed": (gettext_lazy("Allow an export"), gettext_lazy("Export allowed")),
    "export_person": (gettext_lazy("Download a person's data"), gettext_lazy("Data of a person downloaded")),
}
"""What staff do here, as the staff log names it."""


class ConfirmUndoPage(ImportDetailPage):
    """“Are you sure?”, with the numbers. Does nothing by itself."""

    template_name = "desk/imports/undo.html"


@require_POST
def take_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Does one step with an import and goes back to its page with a word about it."""
    if not request.user.has_perm(REQUIRED_PERMISSION):
        raise PermissionDenied
    batch = get_object_or_404(BATCHES, pk=pk)
    try:
        return _STEPS[step](request, batch)
    except DomainError as error:
        messages.error(request, translate(error))
        return redirect("subscribers_import", pk)


def _run(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    start_run(batch, now=timezone.now())
    record_step(request, batch, step="import", message=_("The import has begun. You can leave this page; it goes on."))
    return redirect("subscribers_import", batch.pk)


def _undo(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    request_undo(batch, by=request.user.get_username(), now=timezone.now())
    record_step(request, batch, step="import_undo", message=_("The import is being taken back."))
    return redirect("subscribers_import", batch.pk)


def _discard(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    name = batch.file_name
    discard_import(batch)
    record_step(
        request,
        batch,
        step="import_discard",
        message=_("“%(name)s” is thrown away. Nobody of it was brought in.") % {"name": name},
    )
    return redirect("subscribers_imports")


_STEPS: dict[str, Callable[[HttpRequest, ImportBatch], HttpResponse]] = {
    "run": _run,
    "undo": _undo,
    "discard": _discard,
}
STEPS = tuple(_STEPS)


class LineEcho:
    """What a CSV writer writes to, so that each line can be handed on."""

    def write(self, text: str) -> str:
        return text


@require_GET
def download_refused(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The refused lines in the columns of the file, to be mended and imported again.

    Whoever brought the file has its people already. For anybody else they count as people taken.
    """
    if not request.user.has_perms([REQUIRED_PERMISSION, REVEAL]):
        raise PermissionDenied
    batch = get_object_or_404(BATCHES, pk=pk)
    refused = batch.refusals.count()
    if refused and batch.by != request.user.get_username():
        kind = Disclosure.Kind.REFUSED_LINES
        try:
            record_disclosure(by=request.user, kind=kind, people=refused, about=batch.pk, now=timezone.now())
        except CannotExport as error:
            own = _("Whoever imported the file may take its refused lines.")
            messages.error(request, f"{translate(error)} {own}")
            return redirect("subscribers_import", batch.pk)
    log(instance=batch, action="subscribers.import_refused", user=request.user, data={"import": batch.pk})
    writer: Any = csv.writer(LineEcho(), lineterminator="\r\n")

    def lines() -> Iterator[str]:
        yield "\ufeff"
        for row in format_refused_rows(
            header=batch.header, rows=batch.refusals.order_by("line").iterator(chunk_size=2_000)
        ):
            yield writer.writerow(row)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-lines-of-import-{batch.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response
