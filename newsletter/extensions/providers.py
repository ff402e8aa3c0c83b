"""The interface of a mail provider: the group ``newsletter.providers``."""

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Capabilities, DnsRecords, MailDomains, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.errors import BadWebhook, WebhookSetupError
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.issue_counts import IssueCounts, read_count
from newsletter.providers.base.json_values import as_mapping, parse_delivery_id, parse_json_or_none, parse_time
from newsletter.providers.base.mail.headers import format_mailbox
from newsletter.providers.base.prepared_batch import PersonalMail, PreparedBatch, merge_personal_mails
from newsletter.providers.base.provider_adapter import ProviderAdapter
from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.base.provider_url import ProviderSettings, UrlOption, UrlRules
from newsletter.providers.base.webhook_setup import ListedWebhooks, WebhookSetup, WebhookState
from newsletter.providers.base.webhooks.events import Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, check_password

__all__ = [
    "BadWebhook",
    "Capabilities",
    "DnsRecords",
    "Feedback",
    "FeedbackKind",
    "HttpAdapter",
    "IssueCounts",
    "ListedWebhooks",
    "MailDomains",
    "Message",
    "Outcome",
    "PersonalMail",
    "PreparedBatch",
    "ProviderAdapter",
    "ProviderKind",
    "ProviderResponse",
    "ProviderSettings",
    "UrlOption",
    "UrlRules",
    "Verdict",
    "WebhookHandler",
    "WebhookRequest",
    "WebhookSetup",
    "WebhookSetupError",
    "WebhookState",
    "as_mapping",
    "check_password",
    "format_mailbox",
    "merge_personal_mails",
    "parse_delivery_id",
    "parse_json_or_none",
    "parse_time",
    "read_count",
]
