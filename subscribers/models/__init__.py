"""The tables of people. Import models from here; the modules beside are one subject each."""

from subscribers.models.attributes import SubscriberAttribute
from subscribers.models.confirmations import Confirmation
from subscribers.models.exports import Disclosure, ExportRequest
from subscribers.models.held_signups import HeldSignup
from subscribers.models.imports import ImportBatch, ImportKind, ImportPiece, ImportRefusal, ImportState
from subscribers.models.lists import MailingList, Topic
from subscribers.models.mailed_links import MailedLink
from subscribers.models.people import FormerIdentity, Giving, Subscriber
from subscribers.models.places import Place
from subscribers.models.segments import Segment
from subscribers.models.subscriptions import AppendOnly, Basis, ConsentEvent, EndReason, Frequency, Subscription
from subscribers.models.suppressions import Reason, Scope, Suppression
from subscribers.models.throttles import Asking, SpentProof, Tally
from subscribers.models.unsubscribes import CountedUnsubscribe

__all__ = [
    "AppendOnly",
    "Asking",
    "Basis",
    "Confirmation",
    "ConsentEvent",
    "CountedUnsubscribe",
    "Disclosure",
    "EndReason",
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
    "Place",
    "Reason",
    "Scope",
    "Segment",
    "SpentProof",
    "Subscriber",
    "SubscriberAttribute",
    "Subscription",
    "Suppression",
    "Tally",
    "Topic",
]
