"""The steps of “Set up”: their order, and which are done, skipped or left. A step is done by what exists."""

from collections.abc import Callable, Collection, Container
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from newsletter.models import Brand, EventNotice, Proof, Publication, SenderDomain, SkippedStep, Source, Story
from newsletter.sending.adapters import can_mail_leave
from newsletter.sending.deliverability.domains import domain_of, list_default_domains, list_further_senders
from subscribers.models import MailingList, Subscription

REQUIRED_PERMISSION = "newsletter.add_publication"
State = Literal["done", "skipped", "open"]


@dataclass(frozen=True)
class Step:
    slug: str
    title: str | Promise
    explanation: str | Promise
    is_done: Callable[[], bool]

    @property
    def url(self) -> str:
        return reverse(f"newsletter_setup_{self.slug}")


@dataclass(frozen=True)
class StepState:
    step: Step
    state: State


def _has_brand() -> bool:
    return Brand.objects.exclude(postal_address="").exists()


def _has_domain() -> bool:
    """Return True if the last check of each sending domain found no error for the accounts that send it."""
    domains = {
        domain_of(address)
        for address in Publication.objects.filter(archived=False).values_list("from_email", flat=True)
    }
    checked = SenderDomain.objects.filter(domain__in=domains, looked_at__isnull=False)
    default, further = list_default_domains(), list_further_senders()
    good = {row.domain for row in checked if _is_good(row, default=default, accounts=further.get(row.domain, {}))}
    return bool(domains) and good == domains


def _is_good(row: SenderDomain, *, default: Container[str], accounts: Collection[str]) -> bool:
    """Return True if the domain was checked for each further account that sends it, and no account has an error."""
    findings = list(row.findings or ()) if row.domain in default or not accounts else []
    findings += [finding for name in accounts if name in row.further for finding in row.further[name]["findings"]]
    return all(name in row.further for name in accounts) and not any(
        finding["level"] == "error" for finding in findings
    )


def _has_list() -> bool:
    return MailingList.objects.filter(archived=False).exists()


def _has_content() -> bool:
    """Return True if a source has stories or events, or if staff wrote one."""
    return any(rows.exists() for rows in (Source.objects.all(), Story.objects.all(), EventNotice.objects.all()))


def _has_publication() -> bool:
    return Publication.objects.filter(archived=False).exists()


def _has_proof() -> bool:
    return Proof.objects.filter(state=Proof.State.ACCEPTED).exists()


STEPS: tuple[Step, ...] = (
    Step("brand", _("Your organisation"), _("Name, postal address, logo, colours and fonts."), _has_brand),
    Step(
        "list",
        _("List and sign-up form"),
        _("What people sign up for, and what the form asks."),
        _has_list,
    ),
    Step("source", _("Stories and events"), _("Where your stories and events come from."), _has_content),
    Step(
        "publication",
        _("Publication"),
        _("Its name, when it is sent, and who approves it."),
        _has_publication,
    ),
    Step(
        "people",
        _("People"),
        _("Your subscribers and your staff."),
        Subscription.objects.exists,
    ),
    Step(
        "provider",
        _("Mail provider"),
        _("The service that delivers your mail. Connecting it needs the person who runs the server."),
        can_mail_leave,
    ),
    Step("domain", _("Sending domain"), _("What has to be in DNS, so that mailboxes accept your mail."), _has_domain),
    Step("proof", _("A proof to yourself"), _("Your first issue, sent to yourself."), _has_proof),
)


def can_set_up(user: User | AnonymousUser) -> bool:
    return bool(user.has_perm(REQUIRED_PERMISSION))


def find_step(slug: str) -> Step:
    return next(step for step in STEPS if step.slug == slug)


def list_states() -> list[StepState]:
    """Return all steps in order. A step that is done is not skipped."""
    skipped = set(SkippedStep.objects.values_list("step", flat=True))
    return [
        StepState(step, "done" if step.is_done() else "skipped" if step.slug in skipped else "open") for step in STEPS
    ]


def find_next_step(after: Step) -> Step | None:
    """Return the next open step after this one, else the first open one; None if none is open."""
    states = list_states()
    index = STEPS.index(after) + 1
    ordered = [*states[index:], *states[:index]]
    return next(
        (candidate.step for candidate in ordered if candidate.state == "open" and candidate.step != after), None
    )


@transaction.atomic
def skip_step(*, step: Step, by: User, now: datetime) -> None:
    """Leave the step out for now. It can be taken up again on its page."""
    row, _created = SkippedStep.objects.update_or_create(step=step.slug, defaults={"by": by, "at": now})
    log(instance=row, action="newsletter.setup_skipped", user=by)


def take_up_step(step: Step) -> None:
    SkippedStep.objects.filter(step=step.slug).delete()
