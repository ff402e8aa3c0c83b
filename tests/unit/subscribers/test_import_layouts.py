"""Recognising other programs' exports, their columns, statuses and dates."""

import io
from datetime import UTC, date, datetime

import pytest

from subscribers.importing.reading.cell_values import read_day, read_day_or_note, read_language
from subscribers.importing.reading.column_mapping import check_mapping, guess_mapping, header_key
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.export_formats import detect_layout, refuse_non_subscribed_export
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RefusalKind, RefusedRow
from subscribers.importing.reading.people_file import inspect_file, read_people, sample_file

pytestmark = [pytest.mark.requirement("D2")]

MAILCHIMP = (
    "Email Address,First Name,Last Name,Address,Phone Number,Birthday,Shoe,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,"
    "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,"
)
SUBSCRIBED = MAILCHIMP + "LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
LEFT = (
    MAILCHIMP
    + "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LEID,EUID,NOTES,TAGS\n"
)
CLEANED = MAILCHIMP + "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS\n"
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at\n"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("English", "en"),
        ("ESPAÑOL ", "es"),
        ("Espan\u0303ol", "es"),
        ("inglés", "en"),
        ("العربية", "ar"),
        ("pt_BR", "pt-BR"),
        ("Elvish", ""),
        ("xx", ""),
        ("esp", ""),
        ("xx-GB", ""),
        ("sw", "sw"),
        ("fil", "fil"),
        ("EN-gb", "en-GB"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("spa", "es"),
        ("ger", "de"),
        ("por-BR", "pt-BR"),
        ("mo", "ro"),
        ("iw-IL", "he-IL"),
        ("und", ""),
    ],
)
def test_a_language_is_read_by_its_code_or_its_name(cell: str, code: str) -> None:
    notes: list[str] = []
    assert (read_language(cell, notes), len(notes)) == (code, 0 if code else 1)


def read(text: str, **fields: object) -> list[PersonRow | RefusedRow]:
    file = io.BytesIO(text.encode())
    detected = inspect_file(file)
    return list(
        read_people(
            file, detected=detected, mapping=detected.guess(), terms=ImportTerms(kind=detected.layout.kind, **fields)
        )
    )


@pytest.mark.parametrize(
    ("header", "slug", "kind"),
    [
        (SUBSCRIBED, "mailchimp", "join"),
        (LEFT, "mailchimp_left", "left_all"),
        (CLEANED, "mailchimp_cleaned", "bounced"),
        (LISTMONK, "listmonk", "join"),
        ("email,name,attributes\n", "", "join"),
        ("email,name,country,region,city,language,topics,giving,timezone,source,lists\n", "ours", "join"),
        ("Email Address,First Name\n", "", "join"),
    ],
)
def test_an_export_is_known_by_its_columns(header: str, slug: str, kind: str) -> None:
    layout = detect_layout(header.strip().split(","))
    assert (layout.slug, layout.kind) == (slug, kind)


def test_a_mailchimp_contact_keeps_its_known_fields_only() -> None:
    (row,) = read(
        SUBSCRIBED
        + 'ann@example.org,Ann,Lee,"1 Some St  Leeds",0113,01/02,7,4,,,2021-03-04 05:06:07,192.0.2.1,53.8,-1.5,'
        '0,1,Europe/London,GB,Leeds,2021-03-04 05:06:07,1,2,private,"""Land rights"",""Volunteers"""\n'
    )
    assert isinstance(row, PersonRow)
    assert (row.email, row.name, row.country, row.region, row.timezone) == (
        "ann@example.org", "Ann Lee", "GB", "Leeds", "Europe/London",
    )  # fmt: skip
    assert row.dated_at == datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert row.topics == ("Land rights", "Volunteers")
    assert row.attributes == {"shoe": "7"}


def test_unsubscribes_and_complaints_at_mailchimp_differ() -> None:
    tail = ",,,,,,,,,,,,,,,,,,,2024-02-03 10:00:00,Spring,1,{reason},,1,2,,\n"
    rows = read(
        LEFT + "ann@example.org" + tail.format(reason="NORMAL") + "bea@example.org" + tail.format(reason="SPAM")
    )
    assert [(row.kind, row.dated_at) for row in rows if isinstance(row, PersonRow)] == [
        ("left_all", datetime(2024, 2, 3, 10, tzinfo=UTC)),
        ("complained", datetime(2024, 2, 3, 10, tzinfo=UTC)),
    ]


def test_each_listmonk_status_is_read_and_its_attributes_are_unpacked() -> None:
    rows = read(
        LISTMONK
        + 'u,ann@example.org,Ann,"{""city"": ""Leeds"", ""age"": 40, ""vip"": true, ""likes"": [""tea"", ""bread""],'
        ' ""deep"": {""a"": 1}, ""none"": null}",enabled,2023-01-02T03:04:05.6Z,x\n'
        "u,bea@example.org,Bea,{},disabled,,\nu,cy@example.org,Cy,not json,blocklisted,,\nu,di@example.org,Di,[1],what,,\n"
        "u,ed@example.org,Ed,[1],enabled,,\n"
    )
    ann, bea, cy, di, ed = rows
    assert isinstance(ann, PersonRow)
    assert ann.city == "Leeds"
    assert ann.attributes == {"age": "40", "vip": "yes", "likes": "tea, bread"}
    assert ann.notes == ("The extra field “deep” holds several values. The line is used without it.",)
    assert ann.dated_at == datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert isinstance(bea, RefusedRow)
    assert bea.kind == RefusalKind.NOT_SUBSCRIBED
    assert isinstance(cy, PersonRow)
    assert cy.kind == "left_all"
    assert isinstance(di, RefusedRow)
    assert di.kind == RefusalKind.UNKNOWN_STATUS
    assert isinstance(ed, PersonRow)
    assert ed.notes == ("The extra fields are no JSON object. The line is used without it.",)


def test_a_column_counts_before_a_packed_value_of_the_same_name() -> None:
    (row,) = read('email,city,attributes\nann@example.org,York,"{""city"": ""Leeds"", ""Country"": ""GB""}"\n')
    assert isinstance(row, PersonRow)
    assert (row.city, row.country, row.attributes) == ("York", "GB", {"city": "Leeds"})


def test_mailchimp_files_of_people_who_never_asked_are_refused() -> None:
    mailchimp = detect_layout(SUBSCRIBED.strip().split(","))
    refuse_non_subscribed_export(mailchimp, file_name="subscribed_email_audience_export_1a2b.csv")
    refuse_non_subscribed_export(detect_layout(["email"]), file_name="nonsubscribed.csv")
    with pytest.raises(BadFile, match="never asked"):
        refuse_non_subscribed_export(mailchimp, file_name="export/nonsubscribed_email_audience_export_1a2b.csv")


@pytest.mark.requirement("P3")
def test_soft_opt_in_needs_a_date_after_the_law_began() -> None:
    text = "email,signed up\nann@example.org,2026-02-04\nbea@example.org,2026-02-05\ncy@example.org,\n"
    early, fine, none = read(text, soft_opt_in=True)
    assert isinstance(early, RefusedRow)
    assert (early.kind, "2026-02-04" in early.reason) == (RefusalKind.TOO_EARLY, True)
    assert isinstance(fine, PersonRow)
    assert isinstance(none, RefusedRow)
    assert none.kind == RefusalKind.NO_DAY
    assert isinstance(read(text, soft_opt_in=True, collected_on=date(2026, 3, 1))[2], PersonRow)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026/3/1 9:05", datetime(2026, 3, 1, 9, 5, tzinfo=UTC)),
        ("2026-03-31T09:00:00+02:00", datetime(2026, 3, 31, 7, tzinfo=UTC)),
        ("2026-03-31 09:00:00.123456+00", datetime(2026, 3, 31, 9, tzinfo=UTC)),
        ("2026-03-31 09:00:00 -03", datetime(2026, 3, 31, 12, tzinfo=UTC)),
        ("2026-03-31 09:00:00.123456 +0000 UTC", datetime(2026, 3, 31, 9, tzinfo=UTC)),
        ("2026-03-31 09:00:00 +0200 CEST", datetime(2026, 3, 31, 7, tzinfo=UTC)),
        ("2026-03-31 09:00:00 UTC", datetime(2026, 3, 31, 9, tzinfo=UTC)),
        ("2026-03-31 09:00:00 CEST", None),
        ("31/03/2026", datetime(2026, 3, 31, tzinfo=UTC)),
        ("31-3-2026", datetime(2026, 3, 31, tzinfo=UTC)),
        ("3/31/2026", datetime(2026, 3, 31, tzinfo=UTC)),
        ("04/04/2026", datetime(2026, 4, 4, tzinfo=UTC)),
        ("03.04.2026", datetime(2026, 4, 3, tzinfo=UTC)),
        ("31.03.2026 09:05", datetime(2026, 3, 31, 9, 5, tzinfo=UTC)),
        ("3/31/2026, 12:05:01 AM", datetime(2026, 3, 31, 0, 5, 1, tzinfo=UTC)),
        ("3/31/2026 9:05 pm", datetime(2026, 3, 31, 21, 5, tzinfo=UTC)),
        ("3/31/2026 13:05 PM", None),
        ("03/04/2026", None),
        ("03-04-2026 09:00", None),
        ("31/13/2026", None),
        ("03.31.2026", None),
        ("31.03.26", None),
        ("31/03-2026", None),
        ("2026-02-30", None),
        ("0001-01-01T00:00:00+09:00", None),
    ],
)
def test_a_day_is_read_only_if_it_is_unambiguous(text: str, day: datetime | None) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize(
    ("text", "says"), [("03/04/2026", "can mean two different days"), ("31.03.26", "is not a day"), ("1.1.2026", "")]
)
def test_a_day_that_is_not_read_is_noted(text: str, says: str) -> None:
    notes: list[str] = []
    read_day_or_note(text, notes)
    assert (says in str(notes[0])) if says else notes == []


def test_a_mapping_needs_one_address_and_no_field_twice() -> None:
    header = ["a", "b"]
    for mapping, says in (
        (["email"], "columns changed since"),
        (["email", "email"], "more than once: “a”, “b”"),
        (["name", ""], "No column is called “email”"),
        (["email", "shoe"], "is not a field"),
        (["email", "attribute:Shoe Size"], "is not a field"),
        (["email", "attribute:"], "is not a field"),
    ):
        with pytest.raises(BadFile, match=says):
            check_mapping(mapping, header=header)
    check_mapping(["email", "attribute:shoe_size"], header=header)


def test_the_same_columns_have_the_same_key_whatever_their_case() -> None:
    assert header_key(["Email", " Name "]) == header_key(["email", "name"]) != header_key(["name", "email"])


def test_some_values_of_each_column_are_shown() -> None:
    file = io.BytesIO(b"email,name\nann@example.org,Ann\nbea@example.org,Ann\nbad,,,\n,Cy\n")
    sample = sample_file(file, detected=inspect_file(file))
    assert sample.values == [["ann@example.org", "bea@example.org", "bad"], ["Ann", "Cy"]]
    assert sample.rows == 4
    assert file.tell() == 0


def test_two_columns_of_one_attribute_become_one() -> None:
    assert guess_mapping(["Email", "Shoe size", "shoe_size"]) == ["email", "attribute:shoe_size", ""]
