"""Requests and answers of calls about imports. No answer holds a line of the file."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from newsletter.api.calls.fields import StoredRequestModel

Kind = Literal["join", "left_list", "left_all", "bounced", "complained"]
Texts = list[str]


class ImportToStart(StoredRequestModel):
    """The file and the reason why its people may be mailed. It is stored with each subscription as proof."""

    list: str = Field(description="List's slug.", max_length=80)
    kind: Kind = Field("join", description="All but join are suppressed and never become subscribers.")
    basis: Literal["consent", "soft_opt_in", "legitimate_interest", "contract", "casl_implied"] | None = Field(
        None, description="Required for join: why they may be mailed."
    )
    evidence: str = Field(
        "",
        description="Required for join: the proof, such as “sign-up sheet, spring fair 2026, in the blue folder”.",
        max_length=2_000,
    )
    charity: bool = Field(
        False, description="Required for soft_opt_in: true declares what the desk asks charities to declare."
    )
    collected_on: date | None = Field(
        None, description="Only for soft_opt_in: when they gave their address, for lines without a date."
    )
    expires_on: date | None = Field(
        None, description="Only for casl_implied: the last day of implied consent, for lines without a date."
    )
    country: str = Field("", description="Code or name of the country, for lines without one.", max_length=80)
    confirm: bool = Field(False, description="Ask each person by mail first.")
    dry_run: bool = Field(
        False, description="Only find out what would happen. `imports/{batch}/start` then imports the file."
    )
    column: Texts = Field(
        [],
        description="NAME:FIELD, repeated: the field of a column whose name does not say it, such as `Mail:email`, "
        "`Since:attribute:member_since`, or `Notes:` to leave it out.",
        max_length=500,
    )
    file_name: str = Field("", description="Shown in the desk.", max_length=200)


class ImportCounts(BaseModel):
    """Numbers of lines. Those between `rows` and `unasked` add up to `rows`."""

    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    waiting: int = 0
    newly_suppressed: int = Field(0, description="Suppressed by this import.")
    suppressed: int = Field(
        0, description="They unsubscribed or complained, or the address is dead; nothing was added."
    )
    elsewhere: int = Field(0, description="Only on other lists of the file.")
    repeated: int = 0
    refused: int = 0
    unasked: int = Field(
        0,
        description="How many of them were not asked to confirm, because the mailbox had a confirmation mail in the last 24 "
        "hours, or three in all. Import the file again after a day to ask those who had fewer than three.",
    )


class LineNote(BaseModel):
    line: int = Field(
        description="The first row with it, as a spreadsheet counts: from 1, the row that names the columns included."
    )
    note: str = Field(description="What is left out or read differently, such as an unknown town.")
    lines: int = Field(description="How many lines have this note.")


class RefusedImportLine(BaseModel):
    line: int = Field(description="The row, as a spreadsheet counts: from 1, the row that names the columns included.")
    code: str
    why: str


class RefusedInDryRun(BaseModel):
    line: int
    why: str


class DryRun(BaseModel):
    """The effect of the import on the people who were here at the time. Notes and refused lines are kept for 7 days."""

    columns: dict[str, str] = Field(description="The field of each column that is read.")
    unread_columns: list[str] = Field(description="The columns that are not read.")
    counts: ImportCounts
    refused_by_reason: dict[str, int] = Field(description="How many lines each reason refuses, by its code.")
    noted: int = Field(description="How many notes there are about lines that are imported.")
    notes: list[LineNote] = Field(description="The first 100 different ones.")
    refused: list[RefusedInDryRun] = Field(description="The first 200 refused lines.")


class UndoneCounts(BaseModel):
    removed: int
    ended: int
    stayed: int = Field(description="They were there before, or acted since.")
    ended_before: int = Field(description="Staff or an expiry had ended their subscription before the undo.")
    lifted: int
    kept: int


class ImportAnswer(BaseModel):
    id: int
    state: Literal["draft", "checking", "checked", "running", "finished", "undoing", "undone", "failed"]
    list: str
    kind: Kind
    basis: str
    file_name: str
    columns: dict[str, str] = Field(description="The field of each column that is read.")
    lines: int = Field(description="About how many lines the file has.")
    counts: ImportCounts = Field(description="So far, while it is running.")
    checked: ImportCounts | None = Field(description="What the dry run found, if there was one.")
    undone: UndoneCounts | None
    problem: str = Field(description="Why it stopped, if it failed.")
    started_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None
