"""Rows that the demo does not have, for the pages outside the desk. `print_addresses` runs beside a demo."""

import json
import sys
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.users.models import UserProfile

from newsletter.demo.sample_week import LOGIN
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.archive.archived_issues import find_archived_sends
from newsletter.models import Issue, MailLimits, Publication, StaffLink, Story, Variant
from newsletter.organisation.accounts.staff import add_staff
from newsletter.organisation.accounts.staff_links import make_staff_link, make_staff_link_url
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from subscribers.links.signed_links import Purpose
from subscribers.models import Case, MailingList, Subscriber
from tests.support.demo_rows import copy_issue
from tests.support.people import make_person, path_to, subscribe

PARAGRAPHS = "The rain is only a sound now.\n" * 12
TEXTS = {
    "en": ("weekly", "The roof is mended"),
    "es": ("boletin", "El tejado está arreglado"),
    "ar": ("weekly", "أُصلح السقف"),
}
APPROVER = "approver@example.org"
OF_A_PERSON = (
    Purpose.PREFERENCES,
    Purpose.STAY,
    Purpose.UNSUBSCRIBE,
    Purpose.DOWNLOAD,
    Purpose.ERASE,
    Purpose.CHANGE_ADDRESS,
    Purpose.CONFIRM_ADDRESS,
)


def print_addresses(language: str) -> None:
    """Make the rows of one language and print what a test must know of them as JSON: the page's name, then its path."""
    staff = User.objects.get(email=LOGIN.email)
    MailLimits.objects.update(mails_in_7_days=None)
    case, _ = Case.objects.get_or_create(slug="river", name="The river case")
    person = add_subscriber(language)
    of_person = {str(purpose): path_to(person, weekly(), purpose) for purpose in OF_A_PERSON}
    made = {
        **of_person,
        "case": f"{of_person['preferences']}?case={case.slug}",
        **add_invited(language, by=staff),
        **add_with_factor(language),
        **send_own_story(language, by=staff),
    }
    sys.stdout.write(json.dumps(made))


def print_links(email: str) -> None:
    """Make a subscriber and print the paths of their pages as JSON, by purpose."""
    person = make_person(email, language="en")
    for mailing_list in MailingList.objects.all():
        subscribe(person, mailing_list)
    case, _ = Case.objects.get_or_create(slug="river", name="The river case")
    paths = {str(purpose): path_to(person, weekly(), purpose) for purpose in OF_A_PERSON}
    sys.stdout.write(json.dumps({**paths, "case": f"{paths['preferences']}?case={case.slug}"}))


def weekly() -> MailingList:
    return MailingList.objects.get(slug="weekly")


def add_subscriber(language: str) -> Subscriber:
    person = make_person(f"{language}-reader@example.org", language=language)
    for mailing_list in MailingList.objects.all():
        subscribe(person, mailing_list)
    return person


def send_own_story(language: str, *, by: User) -> dict[str, str]:
    """Send an issue with a story that has no page elsewhere, in a public archive. Return the paths of its pages."""
    slug, title = TEXTS[language]
    Publication.objects.filter(slug=slug).update(archive=Publication.Archive.PUBLIC)
    original = Issue.objects.filter(publication__slug=slug).earliest("pk")
    issue, now = copy_issue(original, language[1], by=by), timezone.now()
    story = Story.objects.create(
        external_id=language,
        title=title,
        text=PARAGRAPHS,
        language=language,
        published_at=now - timedelta(hours=1),
        seen_at=now,
    )
    given = {"story": story.pk, "headline": "", "teaser": "", "picture": None, "link": ""}
    blocks = [block for block in issue.body.get_prep_value() if block["type"] != "lead_story"]
    issue.body = issue.body.stream_block.to_python([{"type": "lead_story", "value": given}, *blocks])
    issue.save()
    issue.save_revision(user=by)
    issue = Issue.objects.get(pk=issue.pk)
    add_staff(email=APPROVER, role="approver", password=LOGIN.password)
    approve_issue(issue=issue, by=User.objects.get(email=APPROVER), now=now)
    run_send(send=start_send(issue=issue, now=now), adapter=current_adapter())
    return make_archive_paths(slug, story)


def make_archive_paths(slug: str, story: Story) -> dict[str, str]:
    send = find_archived_sends(Publication.objects.get(slug=slug))[0]
    variant = Variant.objects.filter(issue=send.issue).earliest("pk")
    issue = f"/news/{slug}/{send.issue.number}/"
    return {
        "archive": f"/news/{slug}/",
        "archived issue": issue,
        "archived story": f"{issue}stories/{story.pk}/",
        "online view": f"/view/{variant.public_id}",
    }


def add_invited(language: str, *, by: User) -> dict[str, str]:
    """Invite somebody, and mail a link for a new password to somebody else. Return the paths of both links."""
    paths = {}
    for name, kind in (("invitation", StaffLink.Kind.INVITATION), ("new password", StaffLink.Kind.PASSWORD)):
        email = f"{language}-{kind}@example.org".lower()
        add_staff(email=email, role="writer", password=LOGIN.password)
        person = User.objects.get(email=email)
        link = make_staff_link(person=person, kind=kind, by=by, now=timezone.now())
        paths[name] = urlsplit(make_staff_link_url(link)).path
    return paths


def add_with_factor(language: str) -> dict[str, str]:
    """Add a member of staff whose sign-in asks for a code. Return the address and the secret of the codes."""
    person, secret = f"{language}-factor@example.org", generate_totp_secret()
    add_staff(email=person, role="admin", password=LOGIN.password)
    user = User.objects.get(email=person)
    UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": language})
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return {"email": person, "secret": secret}
