"""Set up reports of Amazon SES: an SNS topic, our subscription to it, and an event destination of the configuration set.

Source: the second version of the SES API at docs.aws.amazon.com (CreateConfigurationSet, …EventDestination) and
docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html.
"""

from collections.abc import Sequence
from urllib.parse import quote

from newsletter.common.messages import Message
from newsletter.providers.base.contract import HttpCaller
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.setup_calls import SetupAccount, SetupCalls
from newsletter.providers.base.webhook_setup import (
    WebhookSetup,
    WebhookState,
    WebhookTarget,
    list_secrets,
    missing_events,
    no_webhook,
    switched_off,
    unknown_key,
)
from newsletter.providers.ses.adapter import Ses, build_endpoint
from newsletter.providers.ses.signing import SigningTransport, make_signer
from newsletter.providers.ses.topic import ARN, Topic

EVENTS = ("SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY", "RENDERING_FAILURE", "SUBSCRIPTION")
_NAME = "newsletter-reports"


class SesWebhooks(WebhookSetup):
    adapter = Ses
    right = Message(
        "ses:CreateConfigurationSet, ses:GetConfigurationSetEventDestinations, "
        "ses:CreateConfigurationSetEventDestination, ses:UpdateConfigurationSetEventDestination, sns:CreateTopic, "
        "sns:Subscribe, sns:ConfirmSubscription and sns:ListSubscriptionsByTopic"
    )
    # Amazon allows each of these calls once a second.
    seconds_between = 1.0

    def __init__(
        self, settings: ProviderSettings, *, target: WebhookTarget, transport: HttpCaller | None = None
    ) -> None:
        super().__init__(settings, target=target, transport=transport)
        self._topic = Topic(self._sns_calls, url=target.url)

    def read(self) -> WebhookState:
        self._require_set()
        arn = self._find_arn()
        if not arn:
            return WebhookState((no_webhook(self.label),), others=len(self._list_destinations() or ()))
        return self._describe(arn)

    def install(self) -> WebhookState:
        self._require_set()
        arn = self._find_arn() or self._topic.create()
        # Amazon asks for the confirmation while we still subscribe: the topic has to be known before.
        self.keep(arn)
        subscribed, _ = self._topic.find_subscription(arn)
        if subscribed != "confirmed":
            self._topic.subscribe(arn)
        self._send_events_to(arn)
        return self._describe(arn)

    def confirm(self, link: str) -> None:
        self._topic.confirm(link, arn=self._find_arn())

    def _make_calls(self, transport: HttpCaller) -> SetupCalls:
        region = self.settings.domain
        self._sns_calls = self._sign_calls(
            transport, service="sns", endpoint=build_endpoint(region).replace("//email.", "//sns.")
        )
        return self._sign_calls(transport, service="ses", endpoint=build_endpoint(region))

    def _sign_calls(self, transport: HttpCaller, *, service: str, endpoint: str) -> SetupCalls:
        settings = self.settings
        signer = make_signer(key=settings.key, secret=settings.secret, region=settings.domain, service=service)
        account = SetupAccount(
            provider=self.label,
            setting=self.target.setting,
            right=self.right,
            endpoint=settings.endpoint or endpoint,
            secrets=list_secrets(settings, self.target),
        )
        signing = SigningTransport(transport, sign=signer)
        return SetupCalls(account, transport=signing, seconds_between=self.seconds_between)

    def _require_set(self) -> None:
        if not self._set:
            raise WebhookSetupError(
                "Amazon SES reports only mail of a configuration set, and %(setting)s names none. Add "
                "&configuration_set=newsletter to it, start the program again, then set up the reports. The set is "
                "created then.",
                setting=self.target.setting,
            )

    def _find_arn(self) -> str:
        return next((key for key in self.keys if ARN.fullmatch(key)), "")

    def _describe(self, arn: str) -> WebhookState:
        rows = self._list_destinations() or []
        ours = _find_ours(rows, arn)
        problems = _find_problems(ours) if ours is not None else [no_webhook(self.label)]
        subscribed, subscribers = self._topic.find_subscription(arn)
        if not subscribed:
            problems.append(Message("Our address does not get the messages of the topic."))
        if arn not in self.keys:
            problems.append(unknown_key())
        waiting = Message("Amazon asks if we want its reports. This is confirmed automatically within a minute.")
        others = sum(row is not ours for row in rows) + subscribers
        return WebhookState(tuple(problems), others, waiting if subscribed == "pending" else "")

    def _send_events_to(self, arn: str) -> None:
        rows = self._list_destinations()
        if rows is None:
            self.calls.call("POST", "/v2/email/configuration-sets", document={"ConfigurationSetName": self._set})
        ours = _find_ours(rows or (), arn)
        if ours is None:
            document = {"EventDestinationName": self._free_name(rows or ()), "EventDestination": _document(arn)}
            self.calls.call("POST", self._path, document=document)
        elif _find_problems(ours):
            others = [as_text(event) for event in as_list(ours.get("MatchingEventTypes"))]
            path = f"{self._path}/{quote(as_text(ours.get('Name')), safe='')}"
            self.calls.call("PUT", path, document={"EventDestination": _document(arn, others=others)})

    def _list_destinations(self) -> Sequence[Row] | None:
        """Return the event destinations of the configuration set, None if there is no such set."""
        answer = self.calls.call("GET", self._path, accept=(404,))
        if answer.status == 404:
            return None
        rows = as_mapping(self.calls.read_json(answer)).get("EventDestinations", [])
        if not isinstance(rows, list):
            raise self.calls.unreadable()
        return [as_mapping(row) for row in rows]

    def _free_name(self, rows: Sequence[Row]) -> str:
        used = {as_text(row.get("Name")) for row in rows}
        names = [_NAME, *(f"{_NAME}-{number}" for number in range(2, len(rows) + 3))]
        return next(name for name in names if name not in used)

    @property
    def _set(self) -> str:
        return self.settings.own_options.get("configuration_set", "")

    @property
    def _path(self) -> str:
        return f"/v2/email/configuration-sets/{self._set}/event-destinations"


def _find_ours(rows: Sequence[Row], arn: str) -> Row | None:
    return next((row for row in rows if as_mapping(row.get("SnsDestination")).get("TopicArn") == arn), None)


def _find_problems(row: Row) -> list[str]:
    problems = [] if row.get("Enabled") is True else [switched_off()]
    if missing := [event for event in EVENTS if event not in as_list(row.get("MatchingEventTypes"))]:
        problems.append(missing_events(missing))
    return problems


def _document(arn: str, *, others: Sequence[str] = ()) -> dict[str, object]:
    return {"Enabled": True, "MatchingEventTypes": sorted({*EVENTS, *others}), "SnsDestination": {"TopicArn": arn}}
