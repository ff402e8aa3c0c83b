"""The exports of other newsletter programs: nobody who opted out there is imported as a subscriber."""

import io
from typing import Any, NamedTuple

import pytest

from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.export_formats import guess_columns, refuse_export_without_opt_outs
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RefusalKind, RefusedRow
from subscribers.importing.reading.people_file import inspect_file, read_people

pytestmark = [pytest.mark.requirement("D2"), pytest.mark.requirement("S5")]


class Program(NamedTuple):
    """An export: its header, the first line's person, who subscribed, and the other lines with what becomes of each."""

    header: str
    subscriber: str
    others: dict[str, str]
    delimiter: str = ","


PROGRAMS = {
    "ghost": Program(
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers",
        'a1,ann@example.org,Ann,private,true,false,,2024-02-03T10:00:00.000Z,,"Land,Water",',
        {"a2,bea@example.org,Bea,,false,false,cus_1,2024-02-03T10:00:00.000Z,,,": "left_list"},
    ),
    "keila": Program(
        "Email,First name,Last name,Data,Status",
        'ann@example.org,Ann,Lee,"{""city"": ""Leeds""}",active',
        {
            "bea@example.org,Bea,,,unsubscribed": "left_list",
            "cy@example.org,Cy,,,unreachable": "bounced",
        },
    ),
    "buttondown": Program(
        "id,email_address,creation_date,type,notes,metadata,tags",
        'x1,ann@example.org,2024-02-03,premium,private,"{""city"": ""Leeds""}","Land,Water"',
        {
            "x2,bea@example.org,2024-02-03,unsubscribed,,,": "left_list",
            "x3,cy@example.org,2024-02-03,unactivated,,,": "not_subscribed",
            "x4,di@example.org,2024-02-03,removed,,,": "not_subscribed",
            "x5,ed@example.org,2024-02-03,undeliverable,,,": "bounced",
        },
    ),
    "phplist": Program(
        "id|Email|Is this subscriber confirmed|Is this subscriber blacklisted|Did this subscriber manually confirm|"
        "Number of bounces|Entered|Last Modified|Send this subscriber HTML emails|RSS Frequency|Password|"
        "Is this account disabled?|Additional data|Foreign Key|Name|List Membership",
        "1|ann@example.org|1|0|1|0|2024-02-03 10:00:00|2024-02-03 10:00:00|1||5f4dcc|0|||Ann|News ",
        {
            "2|bea@example.org|1|1|1|0|2024-02-03 10:00:00||1||5f4dcc|0|||Bea|News ": "left_all",
            "3|cy@example.org|0|0|0|0|2024-02-03 10:00:00||1||5f4dcc|0|||Cy|News ": "not_subscribed",
            "4|di@example.org|1|0|1|0|2024-02-03 10:00:00||1||5f4dcc|1|||Di|News ": "left_all",
        },
        "\t",
    ),
    "civicrm": Program(
        "Contact ID,Contact Type,Do Not Email,Do Not Phone,No Bulk Emails (User Opt Out),First Name,Last Name,Deceased,Email,"
        "On Hold",
        "1,Individual,,1,,Ann,Lee,,ann@example.org,0",
        {
            "2,Individual,,,1,Bea,Lee,,bea@example.org,": "left_all",
            "3,Individual,Yes,,No,Cy,Lee,No,cy@example.org,No": "left_all",
            "4,Individual,,,,Di,Lee,,di@example.org,1": "bounced",
            "5,Individual,,,,Ed,Lee,,ed@example.org,On Hold Opt Out": "left_all",
            "6,Individual,,,,Flo,Lee,1,flo@example.org,": "left_all",
        },
    ),
    "action_network": Program(
        "uuid,first_name,last_name,email,can2_phone,can2_user_address,can2_user_city,can2_user_state,zip_code,can2_user_tags,"
        "can2_subscription_status,can2_sms_status",
        'u1,Ann,Lee,ann@example.org,,,Leeds,,LS1 1AA,"Land,Water",subscribed,',
        {
            "u2,Bea,,bea@example.org,,,,,,,unsubscribed,subscribed": "left_list",
            "u3,Cy,,cy@example.org,,,,,,,bouncing,": "bounced",
            "u4,Di,,di@example.org,,,,,,,previous spam complaint,": "complained",
        },
    ),
}


def read(text: str, **terms: Any) -> list[PersonRow | RefusedRow]:
    file = io.BytesIO(text.encode())
    detected = inspect_file(file)
    return list(read_people(file, detected=detected, mapping=detected.guess(), terms=ImportTerms(**terms)))


def write(program: Program) -> str:
    text = "\n".join([program.header, program.subscriber, *program.others])
    return text.replace("|", program.delimiter) if program.delimiter != "," else text


@pytest.mark.parametrize("slug", PROGRAMS)
def test_whoever_opted_out_in_another_program_is_not_imported(slug: str) -> None:
    program = PROGRAMS[slug]
    text = write(program)
    assert inspect_file(io.BytesIO(text.encode())).layout.slug == slug
    subscriber, *others = read(text)
    assert isinstance(subscriber, PersonRow)
    assert (subscriber.email, subscriber.kind) == ("ann@example.org", "join")
    assert [str(row.kind) for row in others] == list(program.others.values())


@pytest.mark.parametrize("slug", PROGRAMS)
def test_no_column_of_another_program_becomes_an_attribute(slug: str) -> None:
    subscriber = read(write(PROGRAMS[slug]))[0]
    assert isinstance(subscriber, PersonRow)
    assert dict(subscriber.attributes) == {}


@pytest.mark.parametrize(("slug", "city"), [("keila", "Leeds"), ("buttondown", "Leeds"), ("action_network", "Leeds")])
def test_the_town_of_another_program_is_kept(slug: str, city: str) -> None:
    subscriber = read(write(PROGRAMS[slug]))[0]
    assert isinstance(subscriber, PersonRow)
    assert subscriber.city == city


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("unsubscribed", "2024-05-01", "left_all"),
        ("unsubscribed", "", "join"),
        ("unsubscribed", "0000-00-00 00:00:00", "join"),
        ("Opt in", "x", "join"),
        ("Opt in", "", "not_subscribed"),
        ("Opt in", "0000-00-00", "not_subscribed"),
        ("Subscribed", "", "not_subscribed"),
        ("Email Opt Out", "TRUE", "left_all"),
        ("Subscribed", "No", "left_list"),
        ("Subscribed", "2024-05-01 10:00", "join"),
        ("Accepts Email Marketing", "no", "not_subscribed"),
        ("Accepts Email Marketing", "yes", "join"),
        ("Subscribed", "perhaps", "unknown_status"),
        ("On hold", "2", "left_all"),
        ("Opted out of all email", "true", "left_all"),
        ("email_disabled", "TRUE", "left_all"),
        ("Email status", "Unsubscribed", "left_list"),
        ("Email Marketing Consent", "NEVER_SUBSCRIBED", "not_subscribed"),
        ("status", "cancelled", "left_list"),
        ("status", "junk", "complained"),
    ],
)
def test_a_column_that_says_yes_or_no_decides(column: str, value: str, kind: str) -> None:
    (row,) = read(f"email,{column}\nann@example.org,{value}\n")
    assert str(row.kind) == kind


BREVO = "CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\n"
SALESFORCE = (
    "First Name,Last Name,Mailing City,Mailing State/Province,Mailing Zip/Postal Code,Mailing Country,Email,Email Opt Out,"
    "Do Not Call,Lead Source,Created Date,Birthdate\n"
)
GOOGLE = (
    "First Name,Middle Name,Last Name,Birthday,Notes,Photo,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,"
    "E-mail 2 - Value,Phone 1 - Value,Address 1 - Formatted,Address 1 - City,Address 1 - Country\n"
)


def test_an_export_of_brevo_says_who_is_blocklisted() -> None:
    ann, bea = read(
        BREVO
        + "1;ann@example.org;Ann;Lee;+44;No;Yes;31-01-2024 10:00:00;\n"
        + "2;bea@example.org;Bea;;;Yes;No;31-01-2024 10:00:00;\n"
    )
    assert isinstance(ann, PersonRow)
    assert (ann.kind, ann.name, ann.attributes, str(ann.dated_at)[:10]) == ("join", "Ann Lee", {}, "2024-01-31")
    assert bea.kind == "left_all"


@pytest.mark.parametrize(("answer", "kind"), [("", "join"), ("Yes", "join"), ("No", "unknown_status")])
def test_an_empty_opt_in_of_brevo_says_nothing(answer: str, kind: str) -> None:
    (row,) = read(f"EMAIL;EMAIL_BLACKLISTED;OPT_IN\nann@example.org;No;{answer}\n")
    assert str(row.kind) == kind


def test_an_export_of_salesforce_keeps_the_town_and_no_birthday() -> None:
    (ann,) = read(f"{SALESFORCE}Ann,Lee,Austin,TX,78701,US,ann@example.org,0,0,Web,3/31/2026,1/2/1980\n")
    assert isinstance(ann, PersonRow)
    assert (ann.city, ann.region, ann.country, ann.source) == ("Austin", "TX", "US", "Web")
    assert (ann.attributes, str(ann.dated_at)[:10]) == ({}, "2026-03-31")


def test_a_file_of_google_contacts_has_the_first_address_and_no_notes() -> None:
    (ann,) = read(
        f"{GOOGLE}Ann,,Lee,1980-01-02,private,,Work,ann@example.org,Home,b@example.org,+44 1,1 High St,Leeds,GB\n"
    )
    assert isinstance(ann, PersonRow)
    assert (ann.email, ann.name) == ("ann@example.org", "Ann Lee")
    assert (ann.city, ann.country, ann.attributes) == ("Leeds", "GB", {})


def test_a_line_that_names_the_separator_for_excel_is_skipped() -> None:
    first, second = read("sep=;\r\nE-Mail;Vorname\r\nann@example.org;Ann\r\nb;Bea\r\n")
    assert isinstance(first, PersonRow)
    assert (first.name, first.line, second.line) == ("Ann", 2, 3)


@pytest.mark.parametrize("name", ["opt_in", "OPT IN", "Opt-In", "marketing_consent", "Email Opt_Out", "email-address"])
def test_spaces_hyphens_and_underscores_in_names_are_the_same(name: str) -> None:
    assert not guess_columns([name])[0].startswith("attribute:")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Mailing blacklist", "yes"),
        ("Date of unsubscribing", "2026-03-31"),
        ("GDPR consent by email", "no"),
        ("Newsletter-Anmeldung", "nein"),
        ("Subscription state", "unsubscribed"),
        ("DOUBLE_OPT-IN", "No"),
    ],
)
def test_an_unknown_column_that_may_say_unsubscribed_holds_the_line(column: str, value: str) -> None:
    (row,) = read(f"email,{column}\nann@example.org,{value}\n")
    assert isinstance(row, RefusedRow)
    assert f"says “{value}”. This may mean" in row.reason


@pytest.mark.parametrize(
    ("column", "value"),
    [("Mailing blacklist", "no"), ("SMS consent", "no"), ("DOUBLE_OPT-IN", "1"), ("Opt-out reason", "x")],
)
def test_a_column_that_stops_no_mail_holds_no_line(column: str, value: str) -> None:
    (row,) = read(f"email,{column}\nann@example.org,{value}\n")
    assert row.kind == "join"


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("Abgemeldet", "Ja", "left_all"),
        ("Abgemeldet", "Nein", "join"),
        ("Abgemeldet", "WAHR", "left_all"),
        ("Abgemeldet", "31.03.2026", "left_all"),
        ("Abonniert", "FALSCH", "left_list"),
        ("Einwilligung Newsletter", "", "not_subscribed"),
        ("Einwilligung", "", "join"),
        ("Einwilligung", "Messe 2024", "join"),
        ("Consentimento", "sim", "join"),
        ("Consentimento", "Não", "unknown_status"),
        ("Consentimento newsletter", "Não", "not_subscribed"),
        ("सदस्य", "नहीं", "join"),
        ("सदस्य", "", "join"),
        ("مشترك", "لا", "unknown_status"),
        ("Désabonné", "Oui", "left_all"),
        ("Dezabonat", "da", "left_all"),
        ("Відписаний", "так", "left_all"),
        ("ألغى الاشتراك", "نعم", "left_all"),
        ("सदस्यता समाप्त", "हाँ", "left_all"),
        ("Status", "Abgemeldet", "left_list"),
        ("Status", "BAJA", "left_list"),
        ("Status", "désabonnée", "left_list"),
        ("Status", "Відписано", "left_list"),
        ("Status", "Suscrito", "join"),
        ("Status", "bloqué", "left_all"),
        ("Status", "unzustellbar", "unknown_status"),
        ("Status", "NPAI", "unknown_status"),
        ("Statut", "Adresse invalide", "unknown_status"),
        ("Status", "nelivrabil", "bounced"),
        ("Status", "oui", "join"),
        ("Status", "Sí", "join"),
        ("Status", "nein", "not_subscribed"),
        ("Status", "non", "not_subscribed"),
        ("Status", "1", "unknown_status"),
        ("Status", "en attente", "not_subscribed"),
        ("Status", "Ehrenmitglied", "unknown_status"),
    ],
)
def test_yes_no_and_status_are_read_in_each_language(column: str, value: str, kind: str) -> None:
    (row,) = read(f"email,{column}\nann@example.org,{value}\n")
    assert str(row.kind) == kind


@pytest.mark.parametrize(
    ("column", "value"),
    [("Estado", "Baja"), ("Newsletter", "nein"), ("Statut", "Désabonné"), ("Consent", "no"), ("Статус", "відписаний")],
)
def test_a_column_that_may_say_unsubscribed_is_not_ignored(column: str, value: str) -> None:
    (row,) = read(f"email,{column}\nann@example.org,{value}\n")
    assert isinstance(row, RefusedRow)
    assert row.kind == RefusalKind.UNKNOWN_STATUS
    assert f"The column “{column.lower()}” says “{value}”" in row.reason


@pytest.mark.parametrize(
    ("column", "value"), [("Estado", "Jalisco"), ("Newsletter", "Wochenbrief"), ("Consent", "yes")]
)
def test_a_column_with_another_meaning_is_kept(column: str, value: str) -> None:
    (row,) = read(f"email,{column}\nann@example.org,{value}\n")
    assert isinstance(row, PersonRow)
    assert (row.kind, row.attributes) == ("join", {column.lower(): value})


def test_a_column_that_is_called_an_attribute_holds_no_line() -> None:
    (row,) = read("email,attribute:consent\nann@example.org,no\n")
    assert isinstance(row, PersonRow)
    assert (row.kind, row.attributes) == ("join", {"consent": "no"})


def test_a_date_of_unsubscribing_is_not_ignored() -> None:
    left, joined = read("email,unsubscribed at\nann@example.org,2026-03-31\nbea@example.org,0000-00-00\n")
    assert (left.kind, joined.kind) == ("left_list", "join")
    (unclear,) = read("email,status,fecha de baja\nann@example.org,subscribed,31/03/2026\n")
    assert isinstance(unclear, RefusedRow)
    assert "but says that the person is subscribed" in unclear.reason
    (stated,) = read("email,status,fecha de baja\nann@example.org,unsubscribed,31/03/2026\n")
    assert isinstance(stated, PersonRow)
    assert (stated.kind, str(stated.dated_at)) == ("left_list", "2026-03-31 00:00:00+00:00")


def test_any_no_wins_over_every_yes_and_every_unclear_value() -> None:
    header = "email,status,subscribed,do not email,opt out,hard bounced\n"
    no, also, refused, complaint = read(
        header
        + "ann@example.org,subscribed,yes,no,yes,yes\n"
        + "di@example.org,subscribed,yes,maybe,yes,\n"
        + "bea@example.org,subscribed,yes,maybe,no,\n"
        + "cy@example.org,complained,yes,,yes,yes\n"
    )
    assert (no.kind, also.kind, complaint.kind) == ("left_all", "left_all", "complained")
    assert isinstance(refused, RefusedRow)
    assert (refused.kind, "“maybe” says neither yes nor no" in refused.reason) == (RefusalKind.UNKNOWN_STATUS, True)


def test_a_file_of_unsubscribed_people_suppresses_each_of_them() -> None:
    text = "email,status,accepts marketing,subscribed\nann@example.org,inactive,no,no\nbea@example.org,complained,yes,perhaps\n"
    assert [str(row.kind) for row in read(text, kind="left_all")] == ["left_all", "complained"]


def test_a_column_called_type_is_a_status_only_at_buttondown() -> None:
    assert guess_columns(["email", "type"])[1] == "attribute:type"


@pytest.mark.parametrize(
    ("header", "missing", "named"),
    [
        (["Contact ID", "Contact Type", "Email", "Do Not Email"], "No Bulk Emails (User Opt Out)", "CiviCRM"),
        (["Email", "First name", "Last name", "Data"], "Status", "Keila"),
    ],
)
def test_a_file_that_hides_who_opted_out_is_refused(header: list[str], missing: str, named: str) -> None:
    with pytest.raises(BadFile, match="does not say who opted out") as refused:
        refuse_export_without_opt_outs(header)
    assert named in str(refused.value)
    assert missing.lower() in str(refused.value)
    refuse_export_without_opt_outs([*header, missing])
