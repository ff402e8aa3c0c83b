"""Show whose mail carries our domains by the reports of receivers, and take the files of reports by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.messages import Message
from newsletter.common.staff_pages import PermittedPage
from newsletter.content.parsing.aggregate_reports.sandboxed import MAX_FILE_BYTES
from newsletter.models import DmarcRefusal, DmarcReport
from newsletter.sending.deliverability.dmarc_reports.advice import (
    PolicyAdvice,
    advise_on_policy,
    advise_on_source,
    describe_source,
)
from newsletter.sending.deliverability.dmarc_reports.store import RETENTION, store_report_file
from newsletter.sending.deliverability.dmarc_reports.summary import (
    Source,
    Summary,
    list_reported_domains,
    summarise,
)
from subscribers.desk.editing.upload_form import UploadField

POLICY = ModelPermissionPolicy(DmarcReport)
PERIODS = (30, 90)
MAX_FILES = 20
MAX_SOURCES_SHOWN = 50
LOG_ACTIONS = {"dmarc_added": (gettext_lazy("Add DMARC reports"), gettext_lazy("DMARC reports added from files"))}


class SeveralFilesInput(forms.FileInput):
    allow_multiple_selected = True


class SeveralFilesField(UploadField):
    """Accept up to MAX_FILES files of up to MAX_FILE_BYTES each."""

    widget = SeveralFilesInput(attrs={"accept": ".xml,.gz,.zip"})

    def clean(self, data: object, initial: object = None) -> list[UploadedFile[bytes]]:
        files = data if isinstance(data, list) else [data] if data else []
        cleaned = [super(SeveralFilesField, self).clean(file, initial) for file in files or [None]]
        if len(cleaned) > MAX_FILES:
            raise forms.ValidationError(_("These are too many files. Choose at most 20."))
        if any(file.size > MAX_FILE_BYTES for file in cleaned):
            raise forms.ValidationError(_("A file is larger than 10 MB, so it is no report. Choose another."))
        return cleaned


class ReportFilesForm(forms.Form):
    reports = SeveralFilesField(
        label=gettext_lazy("Files"),
        help_text=gettext_lazy("The files as they were attached: .xml, .xml.gz or .zip, at most 20 at once."),
    )


@dataclass(frozen=True)
class FailingRow:
    """A server whose mail failed, as the page shows it."""

    source: Source
    says: Message
    do: Message


@dataclass(frozen=True)
class DomainSection:
    """The part of the page about one domain."""

    summary: Summary
    advice: PolicyAdvice
    failing: list[FailingRow]
    more: int


class DmarcPage(PermittedPage):
    """GET shows 30 days, or 90 with ?days=90. POST takes files."""

    template_name = "desk/dmarc.html"
    page_title = gettext_lazy("Who sends in our name")
    header_icon = "globe"
    permission_policy = POLICY
    permission_required = "add"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        now, days = timezone.now(), PERIODS[1] if self.request.GET.get("days") == "90" else PERIODS[0]
        return {
            "form": ReportFilesForm(),
            "periods": PERIODS,
            "days": days,
            "sections": list_sections(days=days, now=now),
            "refused": count_refusals(days=days, now=now),
            "address": settings.NEWSLETTER_INBOUND_ADDRESS,
            "kept": RETENTION.days,
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = ReportFilesForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.refuse(form=form)
        refused = 0
        for file in form.cleaned_data["reports"]:
            code = store_report_file(file.read(), now=timezone.now())
            if code is not None:
                refused += 1
                messages.warning(request, f"{file.name}: {code.label}.")
        added = len(form.cleaned_data["reports"]) - refused
        log(instance=request.user, action="newsletter.dmarc_added", data={"added": added, "refused": refused})
        if added:
            text = ngettext("%(number)s report was added.", "%(number)s reports were added.", added)
            messages.success(request, text % {"number": added})
        return redirect("newsletter_dmarc")


def list_sections(*, days: int, now: datetime) -> list[DomainSection]:
    """Return one section for each domain with reports in these days."""
    return [_make_section(domain, days=days, now=now) for domain in list_reported_domains(days=days, now=now)]


def count_refusals(*, days: int, now: datetime) -> list[tuple[str, int]]:
    """Return how many reports were refused in these days for each reason, the most frequent first."""
    since = (now - timedelta(days=days)).astimezone(UTC).date()
    counted = DmarcRefusal.objects.filter(day__gt=since).values("code").annotate(number=Sum("reports"))
    rows = ((str(DmarcRefusal.Code(row["code"]).label), row["number"]) for row in counted.order_by())
    return sorted(rows, key=lambda pair: -pair[1])


def _make_section(domain: str, *, days: int, now: datetime) -> DomainSection:
    summary = summarise(domain, days=days, now=now)
    sources = summary.failing[:MAX_SOURCES_SHOWN]
    return DomainSection(
        summary=summary,
        advice=advise_on_policy(domain, now=now),
        failing=[FailingRow(entry.source, describe_source(entry), advise_on_source(entry.kind)) for entry in sources],
        more=len(summary.failing) - len(sources),
    )
