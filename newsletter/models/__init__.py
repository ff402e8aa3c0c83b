"""Tables, constraints and querysets of publishing. No services here."""

from newsletter.models.api_keys import ApiKey
from newsletter.models.audit import AuditEntry
from newsletter.models.checks import Acknowledgement, LinkLook, SenderDomain
from newsletter.models.clicks import LinkClicks, RecipientClick
from newsletter.models.content import Appeal, EventNotice, Story
from newsletter.models.content_edits import ContentEdit
from newsletter.models.corrections import Corrected, Correction
from newsletter.models.feedback import Delivered, ProviderEvent, SuppressionListReading
from newsletter.models.issues import Approval, Issue, IssueRevision, PlacedStory, ReaderGroup, Shown, Variant
from newsletter.models.location_answers import SettledPlace
from newsletter.models.notices import StaffNotice
from newsletter.models.pictures import Picture
from newsletter.models.proofs import Proof
from newsletter.models.protected_terms import ProtectedTerm
from newsletter.models.publications import Brand, Publication, Slot
from newsletter.models.sends import (
    Attempt,
    Batch,
    Delivery,
    DeliveryException,
    Installation,
    ProviderAccount,
    Send,
    SendingDay,
)
from newsletter.models.sources import SetAsideEntry, Source
from newsletter.models.states import transition
from newsletter.models.story_origins import GoneCode, StoryAddress, StoryOrigin

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
    "Corrected",
    "Correction",
    "Delivered",
    "Delivery",
    "DeliveryException",
    "EventNotice",
    "GoneCode",
    "Installation",
    "Issue",
    "IssueRevision",
    "LinkClicks",
    "LinkLook",
    "Picture",
    "PlacedStory",
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
    "SettledPlace",
    "Shown",
    "Slot",
    "Source",
    "StaffNotice",
    "Story",
    "StoryAddress",
    "StoryOrigin",
    "SuppressionListReading",
    "Variant",
    "transition",
]
