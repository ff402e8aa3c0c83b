"""The canaries of an issue for `newsletter status ISSUE --json`: codes, times and what was found."""

from newsletter.models import CanaryMail, Issue, Send
from newsletter.sending.canaries.canary_decision import is_waiting


def describe_canaries(issue: Issue) -> dict[str, object]:
    """Return the publication's choice, the decision about the newest send, and each canary's mail of it."""
    send = issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).select_related("issue__publication").first()
    return {
        "use": issue.publication.canary,
        "decision": send.canary_decision if send else "",
        "waiting": is_waiting(send) if send else False,
        "mails": [_describe_mail(mail) for mail in send.canary_mails.select_related("mailbox")] if send else [],
    }


def _describe_mail(mail: CanaryMail) -> dict[str, object]:
    return {
        "mailbox": mail.mailbox.address,
        "turn": mail.turn,
        "state": mail.state,
        "reason": mail.reason,
        "result": mail.result,
        "placement": mail.placement,
        "folder": mail.folder,
        "seconds": mail.seconds,
        "copies": mail.copies,
        "sent_at": mail.sent_at.isoformat() if mail.sent_at else None,
        "arrived_at": mail.arrived_at.isoformat() if mail.arrived_at else None,
        "measured_at": mail.measured_at.isoformat() if mail.measured_at else None,
        "findings": [{"level": row["level"], "check": row["check"], "says": row["says"]} for row in mail.findings],
    }
