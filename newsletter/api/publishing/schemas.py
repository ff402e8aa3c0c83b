"""Requests and answers of calls about issues and sends."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from newsletter.api.calls.fields import LineText, StoredRequestModel
from newsletter.issues.planning.edit_blocks import MAX_PART_BLOCKS
from newsletter.sending.settling.send_controls import MAX_PAUSE_REASON


class PublicationAnswer(BaseModel):
    """A newsletter that returns: whom it is for, when it is sent, and what its issues are made of."""

    slug: str
    name: str
    enabled: bool
    archived: bool
    mailing_list: str = Field(description="Its slug.")
    segment: str | None
    from_name: str
    from_email: str
    reply_to: str
    language: str
    languages: list[str] = Field(description="The other languages of its issues.")
    schedule: str = Field(description="As in cron.")
    zone: str
    send_at: str
    lead_hours: int
    approval: str
    stories: int
    events: int
    radius_km: int
    days_back: int
    days_ahead: int
    topics: list[str]
    sources: list[int] = Field(description="The ids of its sources; none: all.")
    max_variants: int
    archive: str


class NewIssue(StoredRequestModel):
    """An issue on demand. It is a draft: staff check, approve and send it in the desk."""

    publication: str = Field(description="Its slug.", max_length=80)
    beginning: Literal["rules", "copy", "empty"] = Field(
        "rules", description="rules: the newest stories and events. copy: the body of another issue."
    )
    copy_of: int = Field(0, description="With `copy`: the id of the issue.", ge=0, lt=2**63)
    due: str = Field(
        "",
        description="Wall-clock time of the publication, such as 2026-04-02T09:00. Empty: staff send it.",
        max_length=16,
    )
    segment: str = Field(
        "", description="The slug of a segment that narrows the publication's audience.", max_length=80
    )


class IssueChange(StoredRequestModel):
    subject: LineText = Field("", min_length=1, max_length=300)
    preheader: LineText = Field("", max_length=300)


class BlockAnswer(BaseModel):
    id: str
    type: str
    value: object = Field(description="As in the desk's editor; it depends on the type.")


_AFTER = "“start”, “end”, or the id of the block before it."
_VALUE = "Its fields, as `GET issues/{issue}` shows them. Rich texts are HTML with b, i, a, ol, ul and p."


class NewBlock(StoredRequestModel):
    type: str = Field(description="One of `GET block-types`.", max_length=80)
    value: dict[str, object] = Field(description=_VALUE)
    after: str = Field("end", description=_AFTER, max_length=80)


class BlockChange(StoredRequestModel):
    value: dict[str, object] | None = Field(None, description=f"{_VALUE} A missing field does not change.")
    after: str | None = Field(None, description=f"Moves it: {_AFTER}", max_length=80)


class PartBlock(StoredRequestModel):
    type: str = Field(description="One of `GET block-types`.", max_length=80)
    value: dict[str, object] = Field(description=_VALUE)


class Part(StoredRequestModel):
    """The blocks that another system keeps in an issue, such as the text of one of its pages."""

    blocks: list[PartBlock] = Field(description="In their order. None removes the part.", max_length=MAX_PART_BLOCKS)


class ReviewRequest(StoredRequestModel):
    due: str = Field(
        "",
        description="A time to send it, which approvers see: wall-clock time of the publication, or with an offset. "
        "Empty: no change.",
        max_length=32,
    )


class OwnType(BaseModel):
    type: str
    label: str
    fields: list[str]
    rows: dict[str, list[str]] = Field(description="The fields of each row, by the name of the field that has rows.")


class BlockTypes(BaseModel):
    types: list[OwnType]


class IssueAnswer(BaseModel):
    id: int
    issue: str
    publication: str
    segment: str | None = Field(description="The slug of the segment that narrows the publication's audience.")
    state: str
    held: bool
    subject: str = Field(description="As staff see it: it may not be public yet.")
    preheader: str
    due_at: datetime | None
    blocks: list[BlockAnswer]


class FindingAnswer(BaseModel):
    level: str
    message: str


class VersionAnswer(BaseModel):
    """The mail as one group of readers gets it."""

    key: str
    label: str
    people: int
    findings: list[FindingAnswer]


class ProblemAnswer(BaseModel):
    """A problem that the checks found, as on the issue's page. An error keeps it from being approved."""

    level: str
    code: str
    message: str
    location: str = Field(description="Such as “In the lead story …”; empty if it is in no block.")
    people: int = Field(description="How many recipients get a mail with it.")
    affects_all: bool
    acknowledged: bool = Field(description="Somebody marked this warning as reviewed.")


class ChecksAnswer(BaseModel):
    """The problems that the checks of an issue found, and its versions as it is now, each with its problems."""

    sha256: str = Field(description="Of the content that was checked. An approval names it.")
    problems: list[ProblemAnswer] = Field(description="Errors first; none for an issue that was sent.")
    versions: list[VersionAnswer]


class RehearsedVersionAnswer(BaseModel):
    key: str
    label: str
    language: str
    people: int


class RehearsalAnswer(BaseModel):
    """The audience of an issue as it is now: candidates = recipients + excluded.

    Versions, languages and zones each add up to recipients.
    """

    candidates: int
    recipients: int
    excluded: dict[str, int]
    versions: list[RehearsedVersionAnswer]
    languages: dict[str, int]
    topics: dict[str, int] = Field(
        description="By slug, of people who may be mailed; several topics count in each, and “” is none."
    )
    zones: dict[str, int]


class MailAnswer(BaseModel):
    """A version with sample values in the personal fields. Its links change nothing."""

    key: str
    subject: str
    html: str
    text: str


class SendAnswer(BaseModel):
    id: int
    issue_id: int
    issue: str
    state: str
    code: str
    provider: str
    recipients: int
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class SendProgress(SendAnswer):
    """The send with its receipt so far. The sums add up: recipients are the sum of deliveries."""

    candidates: int
    excluded: dict[str, int]
    deliveries: dict[str, int]
    batches: dict[str, int]
    delivered: int
    bounced: int
    complained: int
    unsubscribed: int
    unsent: int = Field(description="People on the provider's own suppression list, whose mail it did not try to send.")
    accounts: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="The deliveries by state of each provider account, by its name."
    )


class Pause(StoredRequestModel):
    reason: str = Field("", description="For staff, who decide whether it goes on.", max_length=MAX_PAUSE_REASON)


class LinkAnswer(BaseModel):
    url: str
    people: int
    machines: int


class DayAnswer(BaseModel):
    day: date
    people: int


class GiftsAnswer(BaseModel):
    currency: str
    gifts: int
    amount: Decimal


class ReportAnswer(BaseModel):
    """The result of a send in numbers of people. Nobody is named."""

    send: SendProgress
    clicks: int = Field(description="Clicks of people; 0 if the publication does not count them.")
    machines: int = Field(description="Clicks of probable machines.")
    joined: int = Field(description="People who joined the list in the week after.")
    ended: dict[str, int] = Field(description="Subscriptions that ended in the week after, by reason.")
    days: list[DayAnswer]
    links: list[LinkAnswer]
    gifts: list[GiftsAnswer]
