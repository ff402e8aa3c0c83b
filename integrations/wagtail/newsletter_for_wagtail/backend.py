"""The campaign backend. A campaign is a draft issue with the text of the page; staff of the newsletter approve and send it."""

from datetime import datetime
from typing import NoReturn

from django.conf import settings
from django.utils.html import format_html
from wagtail_newsletter.audiences import Audience, AudienceSegment
from wagtail_newsletter.campaign_backends import CampaignBackend
from wagtail_newsletter.models import NewsletterRecipientsBase

from newsletter_for_wagtail.campaigns import IssueCampaign, make_issue_url
from newsletter_for_wagtail.client import Client, Document
from newsletter_for_wagtail.page_blocks import MAX_BLOCKS, read_blocks
from newsletter_for_wagtail.problems import NewsletterError
from newsletter_for_wagtail.recipients import find_publication, list_audiences, list_segments, split_segment
from newsletter_for_wagtail.site_settings import read_address, read_api_key

PART = "page"
MAX_SUBJECT = 300
_OPEN = '<a href="{}" target="_blank" rel="noopener">Open it in the newsletter</a>'
_CLOSED = ("cancelled",)


class NewsletterCampaignBackend(CampaignBackend):  # type: ignore[misc]  # wagtail-newsletter has no types
    """It never approves or sends: “send” and “schedule” hand the issue to those who may approve it."""

    name = "the newsletter"

    def __init__(self) -> None:
        self.client = Client(address=read_address(), key=read_api_key())

    def get_audiences(self) -> list[Audience]:
        return list_audiences(self.client)

    def get_audience_segments(self, audience_id: str) -> list[AudienceSegment]:
        return list_segments(self.client, audience=audience_id)

    def save_campaign(
        self,
        *,
        campaign_id: str | None = None,
        recipients: NewsletterRecipientsBase | None,
        subject: str,
        html: str,
        from_name: str,
        reply_to: str,
    ) -> str:
        """Write the page into its draft, or make one, and return the issue's id.

        Sender and answer address are those of the publication: `from_name` and `reply_to` are not used.
        """
        blocks = read_blocks(html, base=str(getattr(settings, "WAGTAILADMIN_BASE_URL", "") or ""))
        if not blocks:
            raise NewsletterError(
                "The page has no text for the newsletter. Nothing was saved there. Write some text, and save again."
            )
        if len(blocks) > MAX_BLOCKS:
            raise NewsletterError(
                f"The page has {len(blocks)} sections, and an issue takes {MAX_BLOCKS} of a page. Nothing was saved in the "
                "newsletter. Remove some headings, quotes or dividers, and save again."
            )
        issue = self._find_issue(campaign_id)
        if issue is None:
            issue = self._make_issue(recipients)
        elif recipients is not None:
            self._require_same_recipients(issue, recipients)
        path = f"issues/{issue['id']}"
        self.client.patch(path, {"subject": subject[:MAX_SUBJECT]})
        self.client.put(f"{path}/parts/{PART}", {"blocks": blocks})
        return str(issue["id"])

    def get_campaign(self, campaign_id: str) -> IssueCampaign | None:
        """Return the issue, or None if staff deleted it or cancelled it before it was sent."""
        issue = self._find_issue(campaign_id)
        return IssueCampaign(client=self.client, issue=issue) if issue else None

    def send_test_email(self, *, campaign_id: str, email: str) -> NoReturn:
        """Refuse: the newsletter sends proofs only to its own staff, from its own pages."""
        raise self._point_to(
            campaign_id,
            "No test email was sent. The draft is saved, and the newsletter sends proofs from its own page.",
        )

    def send_campaign(self, campaign_id: str) -> NoReturn:
        """Hand the issue to approval, and say so. It is told as an error, because the panel would say “is now sending”."""
        self._hand_to_review(campaign_id, {})

    def schedule_campaign(self, campaign_id: str, schedule_time: datetime) -> NoReturn:
        """Hand the issue to approval with a time to send it, and say so."""
        self._hand_to_review(campaign_id, {"due": schedule_time.replace(microsecond=0).isoformat()})

    def unschedule_campaign(self, campaign_id: str) -> NoReturn:
        raise self._point_to(
            campaign_id, "Nothing was changed. An approval is withdrawn in the newsletter, by somebody who may approve."
        )

    def _find_issue(self, campaign_id: str | None) -> Document | None:
        """Return the issue if it is there and was not cancelled before anybody got it."""
        if not campaign_id or not campaign_id.isdecimal():
            return None
        issue = self.client.find(f"issues/{campaign_id}")
        if issue is None or issue["state"] not in _CLOSED:
            return issue
        return issue if self.client.get(f"issues/{campaign_id}/receipt").get("send") else None

    def _make_issue(self, recipients: NewsletterRecipientsBase | None) -> Document:
        if recipients is None or not recipients.audience:
            raise NewsletterError(
                "The page has no recipients. Nothing was saved in the newsletter. Choose recipients under “Newsletter”, and "
                "save again."
            )
        return self.client.post(
            "issues",
            {
                "publication": find_publication(self.client, audience=recipients.audience),
                "beginning": "empty",
                "segment": split_segment(recipients.segment),
            },
        )

    def _require_same_recipients(self, issue: Document, recipients: NewsletterRecipientsBase) -> None:
        """An issue keeps its audience, and a second draft would be sent beside the first."""
        publication = find_publication(self.client, audience=recipients.audience)
        if (issue["publication"], issue["segment"] or "") != (publication, split_segment(recipients.segment)):
            raise self._point_to(
                str(issue["id"]),
                "The draft of this page is for other recipients. Nothing was changed. Choose the earlier recipients again, "
                "or delete the draft in the newsletter and save again.",
            )

    def _hand_to_review(self, campaign_id: str, values: Document) -> NoReturn:
        if not campaign_id:  # saving failed just before, and its reason is shown
            raise NewsletterError("There is no draft to send. Nothing was sent. Save the campaign first.")
        self.client.post(f"issues/{campaign_id}/review", values)
        raise self._point_to(
            campaign_id,
            "Nothing was sent yet. The issue is waiting for approval, and those who may approve it were told.",
        )

    def _point_to(self, campaign_id: str, text: str) -> NewsletterError:
        if not campaign_id:
            return NewsletterError(
                "There is no draft in the newsletter yet. Nothing was sent. Save the campaign first."
            )
        return NewsletterError(format_html("{} " + _OPEN, text, make_issue_url(self.client, campaign_id)))
