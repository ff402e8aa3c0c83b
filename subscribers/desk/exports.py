"""Downloads of people: a list as CSV, and one person's data for that person. Each is recorded before it is sent.

More than 500 people in a day need a second person: one asks, another allows, then the first downloads the file.
"""

from collections.abc import Sequence

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from subscribers.desk.csv_response import stream_csv
from subscribers.desk.imports.forms import ExportForm
from subscribers.desk.imports.views import ImportSubpage
from subscribers.desk.password import PasswordForm
from subscribers.desk.person_actions import require_permission
from subscribers.exporting.csv_export import export_rows
from subscribers.exporting.export_requests import (
    EXPORT_PERMISSIONS,
    allow_export,
    can_anybody_else_allow,
    describe_export,
    list_ready_exports,
    list_waiting_exports,
    record_disclosure,
    request_export,
    take_export,
)
from subscribers.models import Disclosure, ExportRequest, Subscriber
from subscribers.people.describe_person import describe_person


class ExportPage(ImportSubpage):
    """Ask for a reason and the password, then send the file or ask a second person to allow it."""

    template_name = "desk/imports/export.html"
    page_title = gettext_lazy("Export people")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_export_permission(request)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse | StreamingHttpResponse:
        form = ExportForm(request.POST, user=request.user)
        if not form.is_valid():
            return self.refuse(form=form)
        return start_export(request, form)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        form = kwargs.get("form") or ExportForm(user=self.request.user)
        now = timezone.now()
        return {
            **super().get_context_data(**kwargs),
            "form": form,
            "approval_form": PasswordForm(user=self.request.user, auto_id="id_approval_%s"),
            "waiting": list_waiting_exports(now=now),
            "ready": list_ready_exports(by=self.request.user, now=now),
        }


def start_export(
    request: HttpRequest, form: ExportForm, *, person_ids: Sequence[int] | None = None
) -> HttpResponse | StreamingHttpResponse:
    """Send the file that a valid form asks for, or ask a second person. `person_ids` limits it to people who were chosen."""
    with transaction.atomic():
        export = request_export(
            by=request.user,
            mailing_list=form.cleaned_data["mailing_list"],
            reason=form.cleaned_data["reason"],
            has_bom=form.cleaned_data["mark"],
            person_ids=person_ids,
            now=timezone.now(),
        )
        if export.without_approval:
            return _take(request, export)
        _log_export(request, export, action="subscribers.export_asked")
    if can_anybody_else_allow(by=request.user):
        messages.success(
            request,
            _(
                "This export has more than 500 people, so a second person must approve it. We have "
                "emailed them. Return to this page after the approval."
            ),
        )
    else:
        messages.warning(
            request,
            _(
                "This export has more than 500 people, so a second person must approve it. Nobody else here can do that. "
                "Ask an administrator to invite another data manager, who finds your request on this page."
            ),
        )
    return redirect("subscribers_export")


@require_POST
def run_export_step(request: HttpRequest, pk: int, step: str) -> HttpResponse | StreamingHttpResponse:
    """Allow an export (`allow`: a second person, with their password) or download it (`take`: the person who asked)."""
    require_export_permission(request)
    export = get_object_or_404(ExportRequest.objects.select_related("mailing_list"), pk=pk)
    try:
        return _take(request, export) if step == "take" else _allow(request, export)
    except DomainError as error:
        messages.error(request, translate(error))
        return redirect("subscribers_export")


def require_export_permission(request: HttpRequest) -> None:
    """Raise PermissionDenied unless the user manages people and may see whole addresses."""
    require_permission(request, *EXPORT_PERMISSIONS)


def _allow(request: HttpRequest, export: ExportRequest) -> HttpResponse:
    form = PasswordForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, " ".join([*form.errors.get("password", []), _("The export was not allowed.")]))
        return redirect("subscribers_export")
    with transaction.atomic():
        allow_export(request=export, by=request.user, now=timezone.now())
        _log_export(request, export, action="subscribers.export_allowed")
    messages.success(request, _("Export allowed. The person who asked can download the file once, within a day."))
    return redirect("subscribers_export")


def _take(request: HttpRequest, export: ExportRequest) -> StreamingHttpResponse:
    with transaction.atomic():
        take_export(request=export, by=request.user, now=timezone.now())
        _log_export(request, export, action="subscribers.export")
    mailing_list = export.mailing_list
    name = f"{mailing_list.slug if mailing_list else 'people'}-{timezone.localdate().isoformat()}.csv"
    rows = export_rows(mailing_list, max_people=export.people_in_file, person_ids=export.person_ids)
    return stream_csv(rows, file_name=name, with_bom=export.has_bom)


def _log_export(request: HttpRequest, export: ExportRequest, *, action: str) -> None:
    subject = export.mailing_list or request.user
    log(instance=subject, action=action, user=request.user, data=describe_export(export))


@require_POST
def download_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Send everything held about one person as JSON, to be given to them when they ask for it."""
    require_export_permission(request)
    person = get_object_or_404(Subscriber.objects.select_related("place"), pk=pk)
    kind = Disclosure.Kind.PERSON_FILE
    try:
        record_disclosure(by=request.user, kind=kind, people=1, about=person.pk, now=timezone.now())
    except DomainError as error:
        messages.error(request, translate(error))
        return redirect("subscribers_person", person.pk)
    log(instance=person, action="subscribers.export_person", user=request.user)
    held = describe_person(person, now=timezone.now(), for_subscriber=True)
    response = JsonResponse(held, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="held-about-person-{person.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response
