"""Check the set-up: brand, publications and their lists, sources, and the staff who must act."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Permission, User
from django.db.models import Q

from newsletter.common.errors import BadRule
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.issues.assembly.source_notices import CONSEQUENCE
from newsletter.issues.protected_terms.terms import count_unreadable_terms
from newsletter.models import Brand, Publication, Source
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from subscribers.audience.eligibility import list_contactable


def check_brand() -> Finding:
    brand = Brand.objects.find_main()
    if brand is None:
        do = "Run `newsletter setup`; or write a file with `newsletter init` and run `newsletter apply organisation.toml`."
        return warning("organisation", "The organisation is not set up yet.", do)
    if not brand.postal_address.strip():
        do = "Write postal_address under [brand] in the organisation's file and apply it, or fill it in in the desk."
        return error(
            "postal address", "It is missing. The law requires it in every issue, so no issue can be sent.", do
        )
    return ok("postal address", brand.postal_address)


def check_privacy_notice() -> Iterator[Finding]:
    """Report brands without the address of a privacy notice."""
    for brand in Brand.objects.in_use().filter(privacy_url=""):
        text = f"“{brand.name}” has none, so its sign-up form does not link to one."
        yield warning("privacy notice", text, "Write privacy_url under [brand], or fill it in in the desk.")


def check_publications() -> Iterator[Finding]:
    """Report publications that nobody would get."""
    for publication in Publication.objects.filter(enabled=True).select_related("mailing_list", "segment"):
        name = f"publication {publication.slug}"
        try:
            people = list_contactable(mailing_list=publication.mailing_list, segment=publication.segment).count()
        except BadRule as failure:
            yield error(name, f"Its segment cannot be used: {failure}", "Correct the segment's rule.")
            continue
        on = f"the list “{publication.mailing_list.name}”"
        if publication.segment:
            on += f", segment “{publication.segment.name}”"
        if people:
            yield ok(name, f"{'1 person' if people == 1 else f'{people:,} people'} on {on}.")
        else:
            do = "Import people with `newsletter subscribers import`, or share the sign-up page."
            yield warning(name, f"Nobody who may be mailed is on {on}.", do)


def check_sources() -> Iterator[Finding]:
    """Report sources that cannot be read."""
    sources = Source.objects.filter(enabled=True)
    failing = [source for source in sources if source.failures or source.error]
    for source in failing:
        since = (
            f" It was last read successfully on {source.last_success_at:%d %B %Y}."
            if source.last_success_at
            else " It has never been read successfully."
        )
        times = "once" if source.failures == 1 else f"{source.failures} times in a row"
        text = f"{source.error or 'It failed.'} (Failed {times}.){since} {CONSEQUENCE}"
        # The error itself says what to do, such as to turn the source off.
        yield warning(f"source {source.name}", text, f"You find {source.url} in the desk, under “Sources”.")
    if not failing:
        yield ok("sources", f"All {len(sources)} can be read.")


def check_overdue(*, now: datetime) -> Finding:
    """Report issues that were due and not begun."""
    issue = find_overdue(now=now).first()
    if issue is None or issue.due_at is None:
        return ok("due issues", "Every issue that may be sent was started on time.")
    due = issue.due_at.astimezone(ZoneInfo(issue.publication.zone))
    text = f"{issue} was due on {due:%Y-%m-%d at %H:%M} and was not started."
    do = (
        "Start `newsletter serve` (with systemd: `sudo systemctl start newsletter`), or `newsletter scheduler` and a worker; "
        "or send it with `newsletter send ISSUE --now`."
    )
    return error("due issues", text, do)


def check_protected_terms() -> Finding:
    """Report protected terms that no key decrypts."""
    lost = count_unreadable_terms()
    if lost:
        do = "Add the secret key that encrypted them to NEWSLETTER_OLD_SECRET_KEYS, or remove the terms in the desk."
        return error("protected terms", f"{lost} cannot be read with the secret key, so nothing can be approved.", do)
    return ok("protected terms", "All of them can be read.")


def check_staff() -> Finding:
    """Report publications that wait for a role that nobody has."""
    if not User.objects.filter(is_active=True).exists():
        return warning("staff", "Nobody can sign in yet.", "Run: newsletter staff add EMAIL --role admin")
    waits = Publication.objects.filter(enabled=True, approval=Publication.ApprovalPolicy.APPROVE).first()
    right = Permission.objects.filter(content_type__app_label="newsletter", codename="approve_issue")
    may = Q(is_superuser=True) | Q(groups__permissions__in=right) | Q(user_permissions__in=right)
    if waits and not User.objects.filter(may, is_active=True).exists():
        do = "Run: newsletter staff add EMAIL --role approver"
        return warning("staff", f"“{waits.name}” needs approval, but nobody on the staff may approve.", do)
    return ok("staff", "Every required role is assigned.")
