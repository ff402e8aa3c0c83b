"""The tables of people. Import models from here; each module in this folder has one subject."""

from subscribers.models.cases import Case, CaseFollow
from subscribers.models.exports import Disclosure, ExportRequest
from subscribers.models.imports import ImportBatch, ImportKind, ImportPiece, ImportRefusal, ImportState
from subscribers.models.lists import MailingList, Topic
from subscribers.models.locations import SubscriberLocation
from subscribers.models.mailed_links import MailedLink
from subscribers.models.people import FormerIdentity, Giving, Subscriber
from subscribers.models.queued_mails import QueuedMail
from subscribers.models.replies import Reply
from subscribers.models.segments import Segment, SubscriberAttribute
from subscribers.models.signups import Confirmation, HeldSignup
from subscribers.models.stay_questions import StayQuestion
from subscribers.models.subscriptions import AppendOnly, Basis, ConsentEvent, EndReason, Frequency, Subscription
from subscribers.models.suppressions import CountedUnsubscribe, Reason, Scope, Suppression
from subscribers.models.throttles import ConfirmationQuota, RateCounter, SpentProof
from subscribers.models.webhooks import EventKind, OutboundEvent, WebhookDelivery, WebhookEndpoint

__all__ = [
    "AppendOnly",
    "Basis",
    "Case",
    "CaseFollow",
    "Confirmation",
    "ConfirmationQuota",
    "ConsentEvent",
    "CountedUnsubscribe",
    "Disclosure",
    "EndReason",
    "EventKind",
    "ExportRequest",
    "FormerIdentity",
    "Frequency",
    "Giving",
    "HeldSignup",
    "ImportBatch",
    "ImportKind",
    "ImportPiece",
    "ImportRefusal",
    "ImportState",
    "MailedLink",
    "MailingList",
    "OutboundEvent",
    "QueuedMail",
    "RateCounter",
    "Reason",
    "Reply",
    "Scope",
    "Segment",
    "SpentProof",
    "StayQuestion",
    "Subscriber",
    "SubscriberAttribute",
    "SubscriberLocation",
    "Subscription",
    "Suppression",
    "Topic",
    "WebhookDelivery",
    "WebhookEndpoint",
]
