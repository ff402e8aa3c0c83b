"""Tables, constraints and querysets of publishing. Services live elsewhere."""

from newsletter.models.api_keys import ApiAnswer, ApiCall, ApiKey, ApiScope
from newsletter.models.approvals import Approval, Proof
from newsletter.models.brands import Brand
from newsletter.models.checks import Acknowledgement, LinkCheck, SenderDomain, SpamCheck
from newsletter.models.comments import Comment
from newsletter.models.content.appeals import Appeal
from newsletter.models.content.events import EventNotice
from newsletter.models.content.pictures import Picture
from newsletter.models.content.sources import LocationAnswer, SetAsideEntry, Source
from newsletter.models.content.stories import Story, StoryImage
from newsletter.models.content.story_origins import GoneCode, StoryAddress, StoryOrigin
from newsletter.models.content.story_use import StoryPlacement, StoryRefusal
from newsletter.models.content.translations import TextTranslation
from newsletter.models.feedback import (
    CountComparison,
    Delivered,
    Gift,
    LinkClicks,
    ProviderEvent,
    ProviderWebhook,
    SenderDelay,
    SuppressionListReading,
)
from newsletter.models.inbound.dmarc_reports import DmarcRefusal, DmarcReport, DmarcReportRow
from newsletter.models.inbound.mails import InboundForward, InboundMail, MailboxReading
from newsletter.models.issue_content import IssueRevision, ReaderGroup, ShownItem, Variant
from newsletter.models.issues import Issue
from newsletter.models.processes import RunningProcess
from newsletter.models.protected_terms import ProtectedTerm
from newsletter.models.publications import Publication
from newsletter.models.reuse import IssueTemplate, SavedBlock, SavedRow
from newsletter.models.sending.account_moves import AccountMove
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.models.sending.batches import Attempt, Batch, Delivery, DeliveryException
from newsletter.models.sending.canaries import CanaryMail, CanaryMailbox
from newsletter.models.sending.exclusions import Exclusion
from newsletter.models.sending.gmail_figures import PostmasterFigure, PostmasterReading, PostmasterRequirement
from newsletter.models.sending.pace_steps import PaceStep
from newsletter.models.sending.sending_limits import Installation, MailLimits, ProviderAccount, SendingDay
from newsletter.models.sending.sends import Send
from newsletter.models.sending.template_mails import MailTemplate, MailTemplateText, TemplateMail
from newsletter.models.slots import Slot
from newsletter.models.special_issues.corrections import CorrectedDelivery, Correction
from newsletter.models.special_issues.subject_tests import SubjectTest
from newsletter.models.special_issues.welcome import WelcomeStep
from newsletter.models.staff import AuditEntry, ContentEdit, PasswordLinkRequest, SkippedStep, StaffLink, StaffNotice
from newsletter.models.states import transition

__all__ = [
    "AccountMove",
    "Acknowledgement",
    "ApiAnswer",
    "ApiCall",
    "ApiKey",
    "ApiScope",
    "Appeal",
    "Approval",
    "Attempt",
    "AuditEntry",
    "AutomaticPause",
    "Batch",
    "Brand",
    "CanaryMail",
    "CanaryMailbox",
    "Comment",
    "ContentEdit",
    "CorrectedDelivery",
    "Correction",
    "CountComparison",
    "Delivered",
    "Delivery",
    "DeliveryException",
    "DmarcRefusal",
    "DmarcReport",
    "DmarcReportRow",
    "EventNotice",
    "Exclusion",
    "Gift",
    "GoneCode",
    "InboundForward",
    "InboundMail",
    "Installation",
    "Issue",
    "IssueRevision",
    "IssueTemplate",
    "LinkCheck",
    "LinkClicks",
    "LocationAnswer",
    "MailLimits",
    "MailTemplate",
    "MailTemplateText",
    "MailboxReading",
    "PaceStep",
    "PasswordLinkRequest",
    "Picture",
    "PostmasterFigure",
    "PostmasterReading",
    "PostmasterRequirement",
    "Proof",
    "ProtectedTerm",
    "ProviderAccount",
    "ProviderEvent",
    "ProviderWebhook",
    "Publication",
    "ReaderGroup",
    "RunningProcess",
    "SavedBlock",
    "SavedRow",
    "Send",
    "SenderDelay",
    "SenderDomain",
    "SendingDay",
    "SetAsideEntry",
    "ShownItem",
    "SkippedStep",
    "Slot",
    "Source",
    "SpamCheck",
    "StaffLink",
    "StaffNotice",
    "Story",
    "StoryAddress",
    "StoryImage",
    "StoryOrigin",
    "StoryPlacement",
    "StoryRefusal",
    "SubjectTest",
    "SuppressionListReading",
    "TemplateMail",
    "TextTranslation",
    "Variant",
    "WelcomeStep",
    "transition",
]
