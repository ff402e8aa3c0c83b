"""The SNS topic of our reports: create it, subscribe our address, confirm the subscription.

Source: docs.aws.amazon.com/sns/latest/api (CreateTopic, ListSubscriptionsByTopic, Subscribe, ConfirmSubscription).
"""

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml import etree

from newsletter.common.messages import Message
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.setup_calls import MAX_PAGES, SetupCalls
from newsletter.providers.base.webhook_setup import is_same_url
from newsletter.providers.base.webhooks.sns import read_confirmation

ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]{1,40}:\d{12}:[A-Za-z0-9_-]{1,256}")
_API_VERSION = "2010-03-31"
_PENDING = "PendingConfirmation"
Fields = dict[str, str]


class Topic:
    """The topic with the ARN ``arn`` and the subscription of ``url``, which holds a secret."""

    def __init__(self, calls: SetupCalls, *, url: str) -> None:
        self._calls = calls
        self._url = url

    def create(self) -> str:
        """Return the ARN of the topic of our address. Amazon creates it once, however often it is asked to."""
        name = "newsletter-reports-" + hashlib.sha256(self._url.encode()).hexdigest()[:12]
        arn = self._ask("CreateTopic", Name=name).findtext(".//TopicArn") or ""
        if not ARN.fullmatch(arn):
            raise self._calls.unreadable()
        return arn

    def find_subscription(self, arn: str) -> tuple[str, int]:
        """Return "confirmed", "pending" or "" for ours, and the number of subscriptions of others."""
        states, others = set(), 0
        for row in self._list_subscriptions(arn):
            if is_same_url(row.get("Endpoint", ""), self._url):
                states.add("pending" if row.get("SubscriptionArn") == _PENDING else "confirmed")
            else:
                others += 1
        return ("confirmed" if "confirmed" in states else "pending" if states else ""), others

    def subscribe(self, arn: str) -> None:
        """Ask for the messages of the topic. Amazon posts a question to our address, which has to be confirmed.

        A second call while it is pending has Amazon ask again.
        """
        self._ask("Subscribe", TopicArn=arn, Protocol=urlsplit(self._url).scheme, Endpoint=self._url)

    def confirm(self, link: str, *, arn: str) -> None:
        """Confirm by the token of Amazon's question. The link itself is not opened."""
        token, topic = read_confirmation(link)
        if topic != arn or not re.fullmatch(r"[A-Za-z0-9]{1,2000}", token):
            raise WebhookSetupError(
                "Amazon’s question is about another topic than the one in webhook_key, so it was not confirmed and that topic "
                "cannot report here. Compare the ARN in webhook_key with the topic in Amazon’s console."
            )
        self._ask("ConfirmSubscription", TopicArn=arn, Token=token)

    def _list_subscriptions(self, arn: str) -> Iterator[Fields]:
        token = ""
        for _ in range(MAX_PAGES):
            page = self._ask("ListSubscriptionsByTopic", TopicArn=arn, **({"NextToken": token} if token else {}))
            for member in page.iterfind(".//Subscriptions/member"):
                yield {str(field.tag): (field.text or "").strip() for field in member}
            token = page.findtext(".//NextToken") or ""
            if not token:
                return
        raise WebhookSetupError(
            Message("The topic has more than %(pages)s pages of subscriptions; the rest was not read.", pages=MAX_PAGES)
        )

    def _ask(self, action: str, **values: str) -> etree._Element:
        form = [("Action", action), ("Version", _API_VERSION), *values.items()]
        answer = self._calls.call("POST", "/", form=form)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        try:
            root = etree.fromstring(answer.body, parser)
        except etree.XMLSyntaxError as error:
            raise self._calls.unreadable() from error
        for element in root.iter():
            element.tag = etree.QName(element).localname
        return root
