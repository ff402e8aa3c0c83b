"""An issue of the newsletter as wagtail-newsletter's panel shows a campaign."""

from dataclasses import dataclass
from datetime import datetime

from wagtail_newsletter.campaign_backends import Campaign

from newsletter_for_wagtail.client import Client, Document

_STATUS = {
    "draft": "Draft",
    "in_review": "Waiting for approval",
    "approved": "Approved",
    "sending": "Sending",
    "sent": "Sent",
    "cancelled": "Cancelled after a part was sent",
}


@dataclass(frozen=True)
class IssueCampaign(Campaign):  # type: ignore[misc]  # wagtail-newsletter has no types
    """An issue. It is “scheduled” once it is approved: then no change of the page reaches it."""

    client: Client
    issue: Document

    @property
    def state(self) -> str:
        return str(self.issue["state"])

    @property
    def status(self) -> str:
        """Return the state as the panel shows it."""
        return "On hold" if self.issue["held"] else _STATUS.get(self.state, self.state)

    @property
    def is_scheduled(self) -> bool:
        return self.state == "approved"

    @property
    def is_sent(self) -> bool:
        """Return True if it reached somebody or is on its way. An issue that was cancelled before is not found at all."""
        return self.state in ("sending", "sent", "cancelled")

    @property
    def url(self) -> str:
        return make_issue_url(self.client, self.issue["id"])

    def get_report(self) -> dict[str, object]:
        """Return the numbers that the panel shows. An approved issue without a time has none."""
        due = self.issue["due_at"]
        when = {"send_time": datetime.fromisoformat(due)} if isinstance(due, str) else {}
        if not self.is_sent:
            return {**when}
        receipt = self.client.get(f"issues/{self.issue['id']}/receipt")
        deliveries = receipt.get("deliveries")
        return {
            **when,
            "emails_sent": deliveries.get("accepted", 0) if isinstance(deliveries, dict) else 0,
            "bounces": receipt.get("bounced", 0),
            "opens": "not counted: the newsletter does not track who opens it",
            "clicks": "in the report of the newsletter",
        }


def make_issue_url(client: Client, issue: object) -> str:
    return f"{client.address}/admin/issues/{issue}/overview/"
