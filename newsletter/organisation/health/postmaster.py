"""Ask Google for the figures of each domain that signs, and report what is missing. Nothing is stored."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from newsletter.common.translation import format_percent
from newsletter.google_postmaster.figures import FigureFailure, FigureReader, FiguresUnavailable
from newsletter.google_postmaster.key_file import AuthorisedUser, read_key_file
from newsletter.google_postmaster.settings import PostmasterAccess
from newsletter.sending.deliverability.domains import is_own_endpoint, list_further_senders, read_provider
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from newsletter.sending.deliverability.gmail_figures.access import get_access, open_figures
from newsletter.sending.deliverability.gmail_figures.advice import WHAT_TO_DO
from newsletter.sending.deliverability.gmail_figures.fetch import READ_DAYS, read_rates
from newsletter.sending.deliverability.gmail_figures.signing import SignedSender, list_asked_senders
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import Level, judge_rate

_CHECK = "spam rate at Gmail"
_GIVE_KEY = (
    "Make a service account with a JSON key in Google Cloud, and turn on the Gmail Postmaster Tools API there. Add the account's "
    "address under “Manage users” in Postmaster Tools. Put the file into the data folder, and name it in "
    "NEWSLETTER_POSTMASTER_KEY_FILE."
)


def check_postmaster(*, now: datetime) -> Iterator[Finding]:
    """Report what Google says about each domain, or why it says nothing. Without a key, advise it if real mail goes out."""
    yield from _check_person(settings.NEWSLETTER_POSTMASTER)
    access = get_access()
    if access is None or access.key_file is None:
        provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
        if (provider is None or not is_own_endpoint(provider)) and not list_further_senders():
            return
        text = "Gmail's spam rate is not read, so it cannot pause an issue."
        yield Finding(_CHECK, "advice", text, _GIVE_KEY)
        return
    yield from _check_rights(access.key_file)
    try:
        reader = open_figures(access, now=now)
    except FiguresUnavailable as problem:
        yield error(_CHECK, str(problem), str(WHAT_TO_DO[problem.failure]))
        return
    for signed in list_asked_senders():
        yield _check_domain(signed, reader, now=now)


def _check_person(access: PostmasterAccess) -> Iterator[Finding]:
    """Report a person in whose name nothing asks."""
    if not access.person:
        return
    if access.key_file is None:
        why = "NEWSLETTER_POSTMASTER_KEY_FILE names no key."
    elif _is_key_of_a_person(access.key_file):
        why = f"{access.key_file} is the key of a person, who asks in their own name."
    else:
        return
    do = "Take it out of the settings, or name the key of a service account with domain-wide delegation."
    yield warning(_CHECK, f"NEWSLETTER_POSTMASTER_PERSON has no effect: {why}", do)


def _is_key_of_a_person(file: Path) -> bool:
    try:
        return isinstance(read_key_file(file), AuthorisedUser)
    except FiguresUnavailable:
        return False  # the next check reports the file


def _check_rights(file: Path) -> Iterator[Finding]:
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warning(_CHECK, f"Other users of this machine can read {file}.", f"Run: chmod 600 {file}")


def _check_domain(signed: SignedSender, reader: FigureReader, *, now: datetime) -> Finding:
    try:
        asked_domain, rates = read_rates(signed, reader, now=now)
        unmet = sorted(item.name for item in reader.read_requirements(asked_domain) if not item.is_met)
    except FiguresUnavailable as problem:
        level = error if problem.failure is not FigureFailure.NOT_VERIFIED else warning
        return level(_CHECK, f"{signed.signing}: {problem}", str(WHAT_TO_DO[problem.failure]))
    since = now.astimezone(UTC).date() - timedelta(days=READ_DAYS)
    if unmet:
        do = "Open Postmaster Tools, “Compliance status”, and repair what it names."
        return warning(_CHECK, f"{asked_domain} does not meet these requirements of Google: {', '.join(unmet)}.", do)
    if not rates:
        return ok(
            _CHECK, f"{asked_domain}: Google answers, and gives no figure since {since}: too few people got mail there."
        )
    worst = max(rates, key=lambda item: item.rate)
    rate = format_percent(100 * worst.rate)
    text = f"{asked_domain}: the highest rate since {since} is {rate}, on {worst.day}. The newest figure is of {rates[-1].day}."
    if judge_rate(worst.rate) is Level.GOOD:
        return ok(_CHECK, text)
    return warning(_CHECK, text, "Check who is on the list and how they joined. Gmail wants less than 0.1 %.")
