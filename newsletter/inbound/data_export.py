"""Add to a person's data export the replies of theirs that are on record, with their text while it is kept."""

from newsletter.models import InboundMail
from subscribers.models import Subscriber
from subscribers.people.data_export import format_moment, register_export_section


def register() -> None:
    """Add this section to the export. The app calls it when it starts."""
    register_export_section("replies_received", describe_replies)


def describe_replies(person: Subscriber) -> list[dict[str, object]]:
    """Return one entry for each reply, the oldest first, as JSON data. Times are ISO 8601 in UTC."""
    rows = InboundMail.objects.filter(sender_hash=bytes(person.address_hash)).select_related("issue", "publication")
    return [
        {
            "received_at": format_moment(row.received_at),
            "state": row.state,
            "kind": row.kind,
            "sender": row.sender,
            "sender_name": row.sender_name,
            "subject": row.subject,
            "text": row.text,
            "attachments": row.attachments,
            "issue": str(row.issue) if row.issue else "",
            "publication": str(row.publication) if row.publication else "",
        }
        for row in rows.order_by("pk")
    ]
