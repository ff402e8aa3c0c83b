"""The tables of people. Import models from here; the modules beside are one subject each."""

from subscribers.models.attributes import SubscriberAttribute
from subscribers.models.confirmations import Confirmation
from subscribers.models.imports import ImportBatch, ImportRefusal
from subscribers.models.lists import MailingList, Topic
from subscribers.models.people import Giving, Subscriber
from subscribers.models.place import Place
from subscribers.models.segments import Segment
from subscribers.models.subscriptions import AppendOnly, Basis, ConsentEvent, EndReason, Frequency, Subscription
from subscribers.models.suppressions import Reason, Scope, Suppression

__all__ = [
    "AppendOnly",
    "Basis",
    "Confirmation",
    "ConsentEvent",
    "EndReason",
    "Frequency",
    "Giving",
    "ImportBatch",
    "ImportRefusal",
    "MailingList",
    "Place",
    "Reason",
    "Scope",
    "Segment",
    "Subscriber",
    "SubscriberAttribute",
    "Subscription",
    "Suppression",
    "Topic",
]
