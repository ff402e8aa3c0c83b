"""Proofs: the very mail of some readers, sent to named staff, marked as such. Its links lead to pages that change nothing.

No delivery, no batch and no audience: a proof can be sent of any draft, as often as is wanted.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.common.errors import BadAddress, NotAllowed, NotReady
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import RecipientGroup
from newsletter.issues.variants.render import freeze_revision, make_variants
from newsletter.models import Issue, Proof, Variant
from newsletter.providers.base.contract import Adapter, BatchCall, Mail, Person, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.rendering.text import tidy_line
from newsletter.rendering.values import values_for
from newsletter.sending.dispatching.build_call import make_mail, read_variables
from newsletter.sending.notices.single_mails import deliver_single
from newsletter.sending.notices.staff_language import find_staff_language
from subscribers.addresses.normalise import to_ascii

MAX_PROOFS = 10
_STATES = {
    Verdict.ACCEPTED: Proof.State.ACCEPTED,
    Verdict.UNCERTAIN: Proof.State.UNCERTAIN,
    Verdict.REJECTED: Proof.State.FAILED,
    Verdict.THROTTLED: Proof.State.FAILED,
    Verdict.NOT_SENT: Proof.State.FAILED,
}
_BANNER = (
    '<div role="note" style="background-color:#5b1a6e;color:#ffffff;font-family:Arial,sans-serif;font-size:14px;'
    'line-height:20px;padding:10px 16px;text-align:center">{words}</div>'
)


def send_proofs(
    *, issue: Issue, group: RecipientGroup, to: Sequence[Any], by: Any, now: datetime, adapter: Adapter
) -> list[Proof]:
    """One mail to each of these members of staff, as readers of a group would get the issue as it is now.

    Raises NotAllowed for somebody who may neither edit nor approve issues, NotReady where there is nobody or nothing to
    send, or it says a protected term: a proof leaves the house like any mail. What became of each stands in its row.
    """
    if not (by.has_perm("newsletter.change_issue") or by.has_perm("newsletter.approve_issue")):
        raise NotAllowed(_("%(by)s may not send proofs. An administrator can give the role “writer”.") % {"by": by})
    people = [person for person in to if person.is_active and person.email]
    if not people:
        raise NotReady(_("Choose at least one member of staff with an email address."))
    if len(people) > MAX_PROOFS:
        raise NotReady(_("A proof goes to at most %(most)s people at once. Choose fewer.") % {"most": MAX_PROOFS})
    if issue.state == Issue.State.SENT:
        raise NotReady(_("%(issue)s has gone out, so there is nothing to prove any more.") % {"issue": issue})
    revision = freeze_revision(issue=issue, now=now)
    variants = make_variants(revision=revision, groups=[group])
    if not variants:
        raise NotReady(_("These readers would get nothing of this issue, so there is nothing to prove."))
    content = IssueContent.from_json(revision.content)
    require_unprotected(issue=issue, content=content, mails=variants)
    mail = make_mail(variant=variants[0], publication=content.publication)
    return [
        _send_proof(issue=issue, variant=variants[0], mail=mail, person=person, by=by, now=now, adapter=adapter)
        for person in people
    ]


def mark_as_proof(mail: Mail, *, issue: Issue, language: str) -> Mail:
    """The mail with “Proof” before its subject and a line above both parts; everything else is as readers get it."""
    with translation.override(language):
        mark = _("Proof")
        words = _("Proof of %(issue)s, for staff alone. The links to leave and to choose change nothing here.") % {
            "issue": tidy_line(str(issue))
        }
    begin = mail.html.find("<body")
    at = mail.html.find(">", begin) + 1
    html = mail.html[:at] + _BANNER.format(words=escape(words)) + mail.html[at:]
    return replace(
        mail,
        subject=f"[{mark}] {mail.subject}",
        html=html,
        text=f"{words}\n\n{mail.text}",
        headers={**mail.headers, "Auto-Submitted": "auto-generated"},
    )


def make_proof_links() -> dict[str, str]:
    """Where a proof's personal links lead: pages that say what readers would find there."""
    site = settings.NEWSLETTER_SITE_URL
    return {"unsubscribe": f"{site}/proof/unsubscribe", "preferences": f"{site}/proof/preferences"}


def _send_proof(
    *, issue: Issue, variant: Variant, mail: Mail, person: Any, by: Any, now: datetime, adapter: Adapter
) -> Proof:
    proof = Proof.objects.create(
        issue=issue,
        sha256=variant.revision.sha256,
        label=variant.label[:200],
        person=person,
        by=by,
        key=f"proof-{secrets.token_hex(12)}",
        at=now,
    )
    known = {"name": person.get_full_name(), "first_name": person.first_name, **make_proof_links()}
    values = values_for(variables=read_variables(variant), fields=known)
    marked = mark_as_proof(mail, issue=issue, language=find_staff_language(person))
    try:
        reader = Person(delivery=1, address=to_ascii(person.email), variables=values)
        call = BatchCall(
            key=proof.key, issue="proofs", variant=variant.key, mail=marked, people=[reader], label=variant.label
        )
        outcome = deliver_single(adapter=adapter, call=call, now=now)
    except (BadAddress, BadBatch, BadMail) as error:
        proof.state, proof.reason = Proof.State.FAILED, str(error)[:500]
    else:
        proof.state, proof.reason = _STATES[outcome.verdict], outcome.reason[:500]
    proof.save(update_fields=["state", "reason"])
    return proof
