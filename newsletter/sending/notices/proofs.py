"""Send proofs: the mail of one group of recipients, marked as a proof, to named staff. Its links change nothing.

A proof has no delivery, batch or audience, so staff can send one of any draft, as often as they want.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.common.errors import BadAddress, BadValue, NotAllowed, NotReady
from newsletter.issues.approval.approve import may_renew_mails
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants.recipient_groups import RecipientGroup
from newsletter.issues.variants.store_variants import make_variants
from newsletter.models import Issue, Proof, Variant
from newsletter.providers.base.contract import Adapter, BatchCall, Mail, Recipient, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.rendering.clean_text import tidy_line
from newsletter.rendering.personal_values import values_for
from newsletter.sending.adapters import account_adapter, provider_label
from newsletter.sending.build_call import ADDRESS_FIELD, make_mail, read_variables
from newsletter.sending.notices.single_mails import deliver_single
from newsletter.sending.notices.system_mail import find_staff_language
from subscribers.addresses.normalise import to_ascii

MAX_PROOFS = 10
SAMPLE_ADDRESS = "reader@example.org"
_STATES = {
    Verdict.ACCEPTED: Proof.State.ACCEPTED,
    Verdict.UNCERTAIN: Proof.State.UNCERTAIN,
    Verdict.REJECTED: Proof.State.FAILED,
    Verdict.THROTTLED: Proof.State.FAILED,
    Verdict.NOT_SENT: Proof.State.FAILED,
}
_BANNER = (
    '<div role="note" style="background-color:#5b1a6e;color:#ffffff;font-family:Arial,sans-serif;font-size:14px;'
    'line-height:20px;padding:10px 16px;text-align:center">{text}</div>'
)


def send_proofs(
    *,
    issue: Issue,
    group: RecipientGroup,
    to: Sequence[User],
    by: User,
    now: datetime,
) -> list[Proof]:
    """Mail the current issue to each of these members of staff, as a group of recipients would get it.

    It goes through the account of the publication.

    Return a row with the result of each. Raise NotAllowed if the person may neither edit nor approve issues. Raise BadValue
    if the staff or the group cannot be used, and NotReady if the issue was sent. Raise NotReady also if the mail contains a
    protected term: a proof is mailed outside too.
    """
    may_send = by.has_perm("newsletter.change_issue") or by.has_perm("newsletter.approve_issue")
    if not isinstance(by, User) or not may_send:
        raise NotAllowed("%(by)s may not send proofs. An administrator can give the role “writer”.", by=by)
    people = [person for person in to if person.is_active and person.email]
    if not people:
        raise BadValue("No proof was sent: choose at least one member of staff with an email address.", name="to")
    if len(people) > MAX_PROOFS:
        raise BadValue("A proof goes to at most %(limit)s people at once. Choose fewer.", name="to", limit=MAX_PROOFS)
    if issue.state == Issue.State.SENT:
        raise NotReady("%(issue)s has been sent; you can no longer send a proof.", issue=issue)
    revision = freeze_revision(issue=issue, now=now)
    content = IssueContent.from_json(revision.content)
    renew = may_renew_mails(issue, content=content)
    variants = make_variants(revision=revision, groups=[group], sent_at=max(content.issue.due_at, now), renew=renew)
    if not variants:
        raise BadValue(
            "These recipients would not get this issue, so there is no proof to send. Choose another group.",
            name="group",
        )
    require_unprotected(issue=issue, content=content, mails=variants)
    mail, adapter = make_mail(variant=variants[0], content=content), account_adapter(issue.publication.account)
    return [
        _send_proof(issue=issue, variant=variants[0], mail=mail, person=person, by=by, now=now, adapter=adapter)
        for person in people
    ]


def mark_as_proof(mail: Mail, *, issue: Issue, language: str) -> Mail:
    """Put “Proof” before the subject and a note above both parts. Everything else is as recipients get it."""
    with translation.override(language):
        mark = _("Proof")
        text = _("Proof of %(issue)s for staff. The unsubscribe and preference links do nothing.") % {
            "issue": tidy_line(str(issue))
        }
    begin = mail.html.find("<body")
    at = mail.html.find(">", begin) + 1
    html = mail.html[:at] + _BANNER.format(text=escape(text)) + mail.html[at:]
    return replace(
        mail,
        subject=f"[{mark}] {mail.subject}",
        html=html,
        text=f"{text}\n\n{mail.text}",
        headers={**mail.headers, "Auto-Submitted": "auto-generated"},
    )


def make_sample_mail(variant: Variant, *, site_url: str) -> tuple[Mail, Recipient]:
    """Return a variant's mail with its tokens, and a sample person to fill them. Its links change nothing.

    Raise InvariantViolated if the bytes of the variant were changed.
    """
    links = {
        "unsubscribe": f"{site_url}/u/sample",
        "preferences": f"{site_url}/p/sample",
        ADDRESS_FIELD: _make_address("sample"),
    }
    values = values_for(variables=read_variables(variant), fields=links)
    mail = make_mail(variant=variant, content=IssueContent.from_json(variant.revision.content))
    return mail, Recipient(delivery=0, address=SAMPLE_ADDRESS, variables=values)


def make_proof_links() -> dict[str, str]:
    """Return the personal links of a proof. They lead to pages that explain what the real links do."""
    site = settings.NEWSLETTER_SITE_URL
    return {
        "unsubscribe": f"{site}/proof/unsubscribe",
        "preferences": f"{site}/proof/preferences",
        ADDRESS_FIELD: _make_address("proof"),
    }


def _make_address(word: str) -> str:
    """Return an address that unsubscribes nobody, instead of a signed one."""
    local, _, domain = settings.NEWSLETTER_INBOUND_ADDRESS.rpartition("@")
    return f"{local}+{word}@{domain}"


def _send_proof(
    *,
    issue: Issue,
    variant: Variant,
    mail: Mail,
    person: User,
    by: User,
    now: datetime,
    adapter: Adapter,
) -> Proof:
    proof = Proof.objects.create(
        issue=issue,
        sha256=variant.revision.sha256,
        label_facts=variant.label_facts,
        person=person,
        by=by,
        provider=provider_label(issue.publication.account),
        key=f"proof-{secrets.token_hex(12)}",
        at=now,
    )
    fields = {"name": person.get_full_name(), "first_name": person.first_name, **make_proof_links()}
    values = values_for(variables=read_variables(variant), fields=fields)
    marked = mark_as_proof(mail, issue=issue, language=find_staff_language(person))
    try:
        recipient = Recipient(delivery=1, address=to_ascii(person.email), variables=values)
        call = BatchCall(
            key=proof.key, issue="proofs", variant=variant.key, mail=marked, people=[recipient], label=variant.label
        )
        outcome = deliver_single(adapter=adapter, call=call, now=now, account=issue.publication.account)
    except (BadAddress, BadBatch, BadMail) as error:
        proof.state, proof.reason = Proof.State.FAILED, error.message
    else:
        proof.state, proof.reason = _STATES[outcome.verdict], outcome.reason
    proof.save(update_fields=["state", "reason"])
    return proof
