"""Run one week of the sample organisation: ingest, assemble, render, send to the outbox, print the receipt."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db.models import Sum
from rich.console import Console
from rich.table import Table

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.demo.sample_content import write_organisation
from newsletter.demo.sample_subscribers import fill_list, fill_realistic_list
from newsletter.issues.approval.approve import approve_by_policy
from newsletter.issues.assembly.assemble import Assembly, assemble_slot, log_assembled, make_unsaved_issue
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.assembly.stories_at_source import check_before_assembly
from newsletter.management.progress_bar import show_send_progress
from newsletter.management.receipt_table import print_receipt
from newsletter.models import Issue, Publication, Source
from newsletter.organisation.apply_file import apply_file
from newsletter.organisation.staff import add_staff
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.provider import current_adapter, find_outbox_folder
from newsletter.sending.settling.receipt import status_of
from subscribers.models import MailingList

MAX_SHOWN_VARIANTS = 12


@dataclass(frozen=True)
class Login:
    email: str
    password: str


LOGIN = Login(email="desk@example.org", password="a-calm-harbour-morning")  # noqa: S106 - the sample's, on loopback only


def run_sample_week(*, site_url: str, people: int, now: datetime, console: Console) -> Issue:
    """Set up the organisation, send its weekly issue and return that issue."""
    _set_up(site_url=site_url, people=people, now=now, console=console)
    for source in Source.objects.all():
        report = ingest_source(source=source, now=now)
        set_aside = f", {len(report.set_aside)} set aside" if report.set_aside else ""
        console.print(f"  {report.name}: {report.error or f'{report.new} new'}{set_aside}", markup=False)
    for publication in Publication.objects.exclude(slug="weekly"):
        waiting = _assemble(publication, now=now)
        if waiting.issue:
            console.print(f"{waiting.issue} is waiting for approval in the desk.", markup=False)
    weekly = Publication.objects.get(slug="weekly")
    assembly = _assemble(weekly, now=now)
    if assembly.issue is None:
        raise AssertionError(assembly.slot.reason)
    issue = assembly.issue
    console.print(f"\n{issue}, assembled for {assembly.slot.due_local} {weekly.zone}: “{issue.subject}”", markup=False)
    approve_by_policy(issue=issue, now=now)
    send = start_send(issue=issue, now=now)
    print_variants(issue, console)
    with show_send_progress(send) as progress:
        run_send(send=send, adapter=current_adapter(), progress=progress)
    issue.refresh_from_db()
    console.print()
    print_receipt(status_of(issue), console=console)
    _print_paths(issue, console)
    return issue


def _assemble(publication: Publication, *, now: datetime) -> Assembly:
    slot = get_or_create_slot(publication=publication, due="", now=now)
    check_before_assembly(issue=make_unsaved_issue(slot), now=now)
    assembly = assemble_slot(slot=slot, now=now)
    if assembly.issue:
        log_assembled(assembly.issue)
    return assembly


def _set_up(*, site_url: str, people: int, now: datetime, console: Console) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "organisation.toml"
        file.write_text(write_organisation(site=site_url), encoding="utf-8")
        changes = apply_file(file, dry_run=False, now=now)
    console.print(
        f"The sample organisation's file is applied: {len(changes)} lists, topics, sources, appeals and publications."
    )
    add_staff(email=LOGIN.email, role="admin", password=LOGIN.password)
    weekly, boletin = (MailingList.objects.get(slug=slug) for slug in ("weekly", "boletin"))
    weekly_list = fill_realistic_list(mailing_list=weekly, people=people, by=LOGIN.email, now=now)
    monthly_list = fill_list(mailing_list=boletin, people=max(people // 20, 1), by=LOGIN.email, now=now)
    for mailing_list, filled in ((weekly, weekly_list), (boletin, monthly_list)):
        console.print(f"{filled.subscriber_count:,} sample people are on the list “{mailing_list.slug}”.")
    if weekly_list.unsubscribed:
        console.print(
            f"  “weekly”: {weekly_list.waiting:,} have not confirmed yet, {weekly_list.suppressed:,} are suppressed; "
            f"{weekly_list.unsubscribed:,} more have unsubscribed."
        )
    console.print("Reading the sources:")


def print_variants(issue: Issue, console: Console) -> None:
    """Print each variant with its number of people. Two variants can have the same label."""
    groups = issue.approvals.latest("at").revision.groups.filter(variant__isnull=False)
    variants = groups.values_list("variant", "variant__label").annotate(all=Sum("people")).order_by("-all", "variant")
    table = Table("people", "what they see", box=None, title=f"{len(variants)} variants", title_justify="left")
    table.columns[0].justify = "right"
    for _, label, people in variants[:MAX_SHOWN_VARIANTS]:
        table.add_row(f"{people:,}", label)
    console.print(table)
    if len(variants) > MAX_SHOWN_VARIANTS:
        console.print(f"  … and {len(variants) - MAX_SHOWN_VARIANTS} more")


def _print_paths(issue: Issue, console: Console) -> None:
    folder = find_outbox_folder(issue)
    console.print(f"\nWhat would have been sent, to click through: {folder / 'index.html'}", markup=False)
    console.print(f"One line per person: {folder / 'batches'}", markup=False)
