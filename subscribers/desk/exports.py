"""People as a file, and one person's data for whoever asks for their own. Each is put on record before it is given out."""

import csv
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from subscribers.desk.import_forms import ExportForm
from subscribers.desk.import_steps import Echo
from subscribers.desk.imports import MAY, ImportPage
from subscribers.exporter import BYTE_ORDER_MARK, export_rows, people_to_export
from subscribers.models import MailingList, Subscriber
from subscribers.people import describe_person


class Export(ImportPage):
    """Asks for a reason and the password, then streams the file."""

    template_name = "desk/imports/export.html"
    page_title = gettext_lazy("Export people")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
        form = ExportForm(request.POST, user=request.user)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        given = form.cleaned_data
        mailing_list: MailingList | None = given["mailing_list"]
        record = {
            "reason": given["reason"],
            "list": mailing_list.slug if mailing_list else "all",
            "people": people_to_export(mailing_list).count(),
        }
        log(instance=mailing_list or request.user, action="subscribers.export", user=request.user, data=record)
        return _stream(mailing_list, mark=given["mark"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or ExportForm(user=self.request.user)
        return {**super().get_context_data(**kwargs), "form": form}


def _stream(mailing_list: MailingList | None, *, mark: bool) -> StreamingHttpResponse:
    writer: Any = csv.writer(Echo(), lineterminator="\r\n")

    def lines() -> Iterator[str]:
        if mark:
            yield BYTE_ORDER_MARK
        for cells in export_rows(mailing_list):
            yield writer.writerow(cells)

    name = f"{mailing_list.slug if mailing_list else 'people'}-{timezone.localdate().isoformat()}.csv"
    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def download_person(request: HttpRequest, pk: int) -> JsonResponse:
    """Everything held about one person, to be given to them when they ask for it."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    person = get_object_or_404(Subscriber.objects.select_related("place"), pk=pk)
    log(instance=person, action="subscribers.export_person", user=request.user)
    held = describe_person(person, now=timezone.now(), for_themselves=True)
    response = JsonResponse(held, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="held-about-person-{person.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response
