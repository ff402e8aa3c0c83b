"""Run one week of the sample organisation: ingest, assemble, translate, send to the outbox, print receipts and reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from rich.console import Console
from rich.table import Table

from newsletter.common.errors import NotReady
from newsletter.content.ingesting.ingest import ingest_source
from newsletter.demo.sample_content import load_spanish_texts, write_organisation
from newsletter.demo.sample_subscribers import fill_list, fill_realistic_list
from newsletter.demo.sample_welcome import NEWCOMERS, welcome_newcomers
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.approval.approve import approve_by_policy
from newsletter.issues.assembly.assemble import assemble_slot, log_assembled, make_unsaved_issue
from newsletter.issues.assembly.first_draft import paragraphs
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.assembly.stories_at_source import check_before_assembly
from newsletter.issues.planning.translate_texts import save_translations
from newsletter.issues.snapshot.own_texts import hash_text, list_own_texts
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.visible.interests import NOTHING_CHOSEN
from newsletter.management.explanation_lines import list_explanation_lines
from newsletter.management.progress_bar import show_send_progress
from newsletter.management.receipt_table import print_receipt
from newsletter.models import Delivery, EventNotice, Issue, MailLimits, MailTemplate, Publication, Source
from newsletter.models.variant_labels import label_facts
from newsletter.organisation.accounts.staff import add_staff
from newsletter.organisation.apply_file import apply_file
from newsletter.sending.adapters import current_adapter, find_outbox_folder
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.notices.mail_templates import approve_template, make_template, save_fields, save_text
from newsletter.sending.notices.template_texts import hash_template
from newsletter.sending.settling.issue_status import status_of
from subscribers.models import MailingList, Subscriber

MAX_SHOWN_VARIANTS = 8
_MAX_LEFT_OUT = 2
FIELDS = {"first_name": "Ada", "amount": "£25"}
TEXTS = {
    "en": {
        "subject": "Thank you for your gift, {first_name}",
        "preheader": "Your gift of {amount} has arrived.",
        "body": "Dear {first_name},\n\nthank you for your gift of {amount}. It keeps the clinic open for one evening.",
        "button_label": "See what gifts do",
        "reason": "You get this email because you gave to us. It is no newsletter.",
    },
    "es": {
        "subject": "Gracias por tu donación, {first_name}",
        "preheader": "Hemos recibido tu donación de {amount}.",
        "body": "Hola, {first_name}:\n\ngracias por tu donación de {amount}. Mantiene abierta la clínica una noche.",
        "button_label": "Mira qué hacen las donaciones",
        "reason": "Recibes este correo porque has hecho una donación. No es un boletín.",
    },
}
SPANISH = "es"
_FACTS = (
    *("url", "starts_at", "ends_at", "zone", "all_day", "day", "online"),
    *("place_text", "town", "country", "region", "latitude", "longitude"),
)
"""What a translated event has of its original."""


@dataclass(frozen=True)
class Login:
    email: str
    password: str


LOGIN = Login(email="desk@example.org", password="a-calm-harbour-morning")  # noqa: S106 - the sample's, on loopback only


def run_sample_week(*, site_url: str, people: int, now: datetime, console: Console) -> Issue:
    """Set up the organisation, send its weekly issue and what else is due, explain it, and return the weekly issue."""
    staff = _set_up(site_url=site_url, people=people, now=now, console=console)
    for source in Source.objects.all():
        report = ingest_source(source=source, now=now)
        set_aside = f", {len(report.set_aside)} set aside" if report.set_aside else ""
        console.print(f"  {report.name}: {report.error or f'{report.new} new'}{set_aside}", markup=False)
    waiting = _assemble("boletin", now=now)
    console.print(f"{waiting} is waiting for approval in the desk.", markup=False)
    weekly = _assemble("weekly", now=now)
    translate_issue(issue=weekly, by=staff, now=now)
    _send(weekly, now=now, console=console)
    _print_choices(weekly, console)
    add_thanks_template(publication=weekly.publication, by=staff, now=now)
    welcome = welcome_newcomers(publication=weekly.publication, by=staff, now=now)
    addresses = " and ".join(newcomer.email for newcomer in NEWCOMERS)
    console.print(f"\n{addresses} signed up and confirmed. Each got the welcome at once, in their language:")
    print_receipt(status_of(welcome), console=console)
    console.print(
        f"\nTwo more publications go to people who get the weekly letter. Nobody gets a story twice, or more than "
        f"{MailLimits.objects.get().mails_in_7_days} mails in 7 days."
    )
    dates, offices = (_assemble(slug, now=now) for slug in ("texas", "offices"))
    for issue in (dates, offices):
        _send(issue, now=now, console=console)
    print_explanations(weekly=weekly, dates=dates, offices=offices, now=now, console=console)
    _print_paths(weekly, console)
    return weekly


def _send(issue: Issue, *, now: datetime, console: Console) -> None:
    """Approve and send an issue, and print its variants and its receipt. An issue without readers is not sent."""
    console.print(f"\n{issue}: “{issue.subject}”", markup=False)
    try:
        approve_by_policy(issue=issue, now=now)
        send = start_send(issue=issue, now=now)
    except NotReady as error:
        console.print(f"  {error}", markup=False)
        return
    print_variants(issue, console)
    with show_send_progress(send) as progress:
        run_send(send=send, adapter=current_adapter(), progress=progress)
    issue.refresh_from_db()
    console.print()
    print_receipt(status_of(issue), console=console)


def _assemble(slug: str, *, now: datetime) -> Issue:
    slot = get_or_create_slot(publication=Publication.objects.get(slug=slug), due="", now=now)
    check_before_assembly(issue=make_unsaved_issue(slot), now=now)
    assembly = assemble_slot(slot=slot, now=now)
    if assembly.issue is None:
        raise AssertionError(assembly.slot.reason)
    log_assembled(assembly.issue)
    return assembly.issue


def _set_up(*, site_url: str, people: int, now: datetime, console: Console) -> User:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "organisation.toml"
        file.write_text(write_organisation(site=site_url), encoding="utf-8")
        changes = apply_file(file, dry_run=False, now=now)
    console.print(
        f"The sample organisation's file is applied: {len(changes)} lists, topics, sources, appeals and publications."
    )
    added = add_staff(email=LOGIN.email, role="admin", password=LOGIN.password)
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
    return User.objects.get(username=added.email)


def print_variants(issue: Issue, console: Console) -> None:
    """Print each variant with its number of people. Two variants can have the same label."""
    groups = issue.approvals.latest("at").revision.groups.filter(variant__isnull=False)
    variants = (
        groups.values_list("variant", "variant__label_facts").annotate(all=Sum("people")).order_by("-all", "variant")
    )
    table = Table("people", "what they see", box=None, title=f"{len(variants)} variants", title_justify="left")
    table.columns[0].justify = "right"
    for _, facts, people in variants[:MAX_SHOWN_VARIANTS]:
        table.add_row(f"{people:,}", label_facts(facts))
    console.print(table)
    if len(variants) > MAX_SHOWN_VARIANTS:
        console.print(f"  … and {len(variants) - MAX_SHOWN_VARIANTS} more")


def _print_choices(issue: Issue, console: Console) -> None:
    """Print how many people get the issue in another language, and how many chose topics."""
    groups = issue.approvals.latest("at").revision.groups
    spanish = groups.filter(language=SPANISH).aggregate(people=Sum("people", default=0))["people"]
    chosen = groups.exclude(interests=NOTHING_CHOSEN).aggregate(people=Sum("people", default=0))["people"]
    console.print(
        f"\n{spanish:,} people get it in Spanish. {chosen:,} chose topics: the stories of their topics come first."
    )


def _print_paths(issue: Issue, console: Console) -> None:
    folder = find_outbox_folder(issue)
    console.print(f"\nWhat would have been sent, to click through: {folder / 'index.html'}", markup=False)
    console.print(f"One line per person: {folder / 'batches'}", markup=False)


def print_explanations(*, weekly: Issue, dates: Issue, offices: Issue, now: datetime, console: Console) -> None:
    """Explain the weekly issue to a reader of Spanish, and the last issue to people whose limit or memory decided."""
    for person, issue in _choose_people(weekly=weekly, dates=dates, offices=offices):
        console.print(f"\nnewsletter explain {person.email} {issue.reference}", highlight=False)
        explained = explain_issue(issue, person=person, now=now)
        for line in list_explanation_lines(explained, max_left_out=_MAX_LEFT_OUT):
            console.print(f"  {line}", markup=False, highlight=False)


def _choose_people(*, weekly: Issue, dates: Issue, offices: Issue) -> Iterator[tuple[Subscriber, Issue]]:
    """Yield each person with the issue to explain. A small sample may not have all three."""
    got_weekly, got_offices = _list_recipients(weekly), _list_recipients(offices)
    spanish = got_weekly.filter(language=SPANISH).annotate(chosen=Count("topics")).order_by("-chosen", "pk")
    had_two = got_weekly.filter(pk__in=_list_recipients(dates)).exclude(pk__in=got_offices)
    had_one = got_weekly.filter(pk__in=got_offices)
    for people, issue in ((spanish, weekly), (had_two, offices), (had_one, offices)):
        if person := people.first():
            yield person, issue


def _list_recipients(issue: Issue) -> QuerySet[Subscriber]:
    got = Delivery.objects.filter(issue=issue, proof=False).order_by().values("subscriber_id")
    return Subscriber.objects.filter(pk__in=got).order_by("pk")


def add_thanks_template(*, publication: Publication, by: User, now: datetime) -> MailTemplate:
    """Return the approved template."""
    template = make_template(name="Thank you for your gift", publication=publication, by=by, now=now)
    save_fields(template=template, publication=publication, fields=FIELDS, by=by, now=now)
    for language, texts in TEXTS.items():
        with_button = {**texts, "button_url": publication.brand.donate_url}
        save_text(template=template, language=language, texts=with_button, by=by, now=now)
    approve_template(template=template, sha256=hash_template(template), by=by, now=now)
    return template


@transaction.atomic
def translate_issue(*, issue: Issue, by: User, now: datetime) -> None:
    """Store the Spanish titles of the issue's events and the Spanish version of its own texts."""
    content = resolve_content(issue)
    titles = load_spanish_texts("event")
    for event in EventNotice.objects.filter(pk__in=[event.id for event in content.events]):
        if title := titles.get(event.title):
            _translate_event(event, title=title, now=now)
    translations: dict[str, str] = {}
    for english, spanish in load_spanish_texts("text").items():
        translations[hash_text(english)] = spanish
        translations[hash_text(paragraphs(english))] = paragraphs(spanish)
    texts = {text: translations[text.sha256] for text in list_own_texts(content) if text.sha256 in translations}
    save_translations(issue=issue, language=SPANISH, texts=texts, by=by, now=now)


def _translate_event(original: EventNotice, *, title: str, now: datetime) -> None:
    EventNotice.objects.update_or_create(
        translation_of=original,
        language=SPANISH,
        defaults={
            "title": title,
            "external_id": f"{original.external_id[:400]}-{SPANISH}",
            "seen_at": now,
            **{name: getattr(original, name) for name in _FACTS},
        },
    )
