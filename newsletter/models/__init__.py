"""Tables, constraints and querysets of publishing. Services live elsewhere."""

from newsletter.models.api_keys import ApiKey
from newsletter.models.approvals import Approval, Proof
from newsletter.models.brands import Brand
from newsletter.models.checks import Acknowledgement, LinkCheck, SenderDomain
from newsletter.models.content import Appeal, EventNotice, Story
from newsletter.models.corrections import CorrectedDelivery, Correction
from newsletter.models.feedback import Delivered, LinkClicks, ProviderEvent, RecipientClick, SuppressionListReading
from newsletter.models.issue_content import IssueRevision, ReaderGroup, ShownItem, Variant
from newsletter.models.issues import Issue
from newsletter.models.pictures import Picture
from newsletter.models.protected_terms import ProtectedTerm
from newsletter.models.publications import Publication, Slot
from newsletter.models.sending_limits import Installation, ProviderAccount, SendingDay
from newsletter.models.sends import Attempt, Batch, Delivery, DeliveryException, Send
from newsletter.models.sources import LocationAnswer, SetAsideEntry, Source
from newsletter.models.staff import AuditEntry, ContentEdit, PasswordLinkRequest, SkippedStep, StaffLink, StaffNotice
from newsletter.models.states import transition
from newsletter.models.story_origins import GoneCode, StoryAddress, StoryOrigin
from newsletter.models.story_use import StoryPlacement, StoryRefusal

__all__ = [
    "Acknowledgement",
    "ApiKey",
    "Appeal",
    "Approval",
    "Attempt",
    "AuditEntry",
    "Batch",
    "Brand",
    "ContentEdit",
    "CorrectedDelivery",
    "Correction",
    "Delivered",
    "Delivery",
    "DeliveryException",
    "EventNotice",
    "GoneCode",
    "Installation",
    "Issue",
    "IssueRevision",
    "LinkCheck",
    "LinkClicks",
    "LocationAnswer",
    "PasswordLinkRequest",
    "Picture",
    "Proof",
    "ProtectedTerm",
    "ProviderAccount",
    "ProviderEvent",
    "Publication",
    "ReaderGroup",
    "RecipientClick",
    "Send",
    "SenderDomain",
    "SendingDay",
    "SetAsideEntry",
    "ShownItem",
    "SkippedStep",
    "Slot",
    "Source",
    "StaffLink",
    "StaffNotice",
    "Story",
    "StoryAddress",
    "StoryOrigin",
    "StoryPlacement",
    "StoryRefusal",
    "SuppressionListReading",
    "Variant",
    "transition",
]
