"""Columns whose meaning is unsure: nobody is suppressed by a guess, and no ordinary column refuses a line."""

import io

import pytest

from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RefusalKind, RefusedRow
from subscribers.importing.reading.people_file import inspect_file, read_people
from subscribers.importing.writing.import_people import make_mapping

pytestmark = [pytest.mark.requirement("D2"), pytest.mark.requirement("S5")]


def read_line(columns: dict[str, str], *, chosen: dict[str, str] | None = None) -> PersonRow | RefusedRow:
    header, cells = ",".join(["email", *columns]), ",".join(["ann@example.org", *columns.values()])
    file = io.BytesIO(f"{header}\n{cells}\n".encode())
    detected = inspect_file(file)
    mapping = make_mapping(detected.header, detected.guess(), chosen or {})
    (row,) = read_people(file, detected=detected, mapping=mapping, terms=ImportTerms())
    return row


NO_DATES = ["NULL", "never", "-", "no", "n/a", "00/00/0000", "0000-00-00 00:00:00", "\\N", "Nein", "None"]


@pytest.mark.parametrize("text", NO_DATES)
@pytest.mark.parametrize("column", ["unsubscribed at", "Fecha de baja"])
def test_no_date_of_unsubscribing_suppresses_nobody(column: str, text: str) -> None:
    assert read_line({column: text}).kind == "join"
    assert read_line({"status": "subscribed", column: text}).kind == "join"


@pytest.mark.parametrize("text", ["2026-03-31", "31.03.2026", "03/04/2026", "2026-03-31T09:00:00Z"])
def test_a_date_of_unsubscribing_suppresses_a_person(text: str) -> None:
    assert read_line({"unsubscribed at": text}).kind == "left_list"


@pytest.mark.parametrize("text", ["yes", "last spring", "45000"])
def test_a_text_in_a_column_of_dates_holds_the_line(text: str) -> None:
    row = read_line({"unsubscribed at": text})
    assert isinstance(row, RefusedRow)
    assert f"“{text}” is not a date of unsubscribing or bouncing" in row.reason


@pytest.mark.parametrize(
    ("column", "text"), [("status", "active"), ("subscribed", "yes"), ("Status", "suscrito"), ("on hold", "no")]
)
def test_an_old_bounce_is_noted_if_the_person_gets_mail(column: str, text: str) -> None:
    row = read_line({column: text, "bounced at": "2019-01-01"})
    assert isinstance(row, PersonRow)
    assert row.kind == "join"
    assert "a date of bouncing, “2019-01-01”, but its other columns say that the person gets mail" in row.notes[0]


@pytest.mark.parametrize("more", [{}, {"status": ""}, {"opt out": "no"}])
@pytest.mark.parametrize("column", ["bounced at", "clean_time"])
def test_a_date_of_bouncing_alone_suppresses_the_address(column: str, more: dict[str, str]) -> None:
    row = read_line({**more, column: "2019-01-01"})
    assert isinstance(row, PersonRow)
    assert (row.kind, str(row.dated_at)[:10]) == ("bounced", "2019-01-01")
    assert read_line({**more, column: "never"}).kind == "join"


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("Photo consent", "no"),
        ("Gift aid consent", "no"),
        ("Medical consent", "no"),
        ("Fotoeinwilligung", "nein"),
        ("Magazine subscription", "no"),
        ("Subscription type", "cancelled"),
        ("Opt out post", "yes"),
        ("Opt out texts", "yes"),
        ("Opt out of mail", "yes"),
        ("Newsletter by post", "no"),
        ("SMS opt-in", "no"),
        ("No of children", "1"),
        ("No of newsletters", "1"),
        ("Newsletters opened", "0"),
        ("Consent form", "no"),
        ("Bloque", "1"),
        ("Unsubscribe link", "https://example.org/u/1"),
        ("Mailing address", "No. 5 High Street"),
        ("Mailchimp rating", "0"),
        ("Email format", "no"),
        ("Bounce count", "3"),
        ("Name of deceased", "Ann Lee"),
        ("Retired marketing director", "yes"),
        ("Newsletter", "nonprofit news"),
        ("Newsletter", "n/a"),
        ("Contact email", "n.lee@example.org"),
        ("Preferred email", "opt-out@example.org"),
        ("mobile_opt_in", "false"),
        ("Marketing emails replied", "0"),
        ("Marketing emails delivered", "0"),
        ("Emails received (6mo)", "0"),
        ("Newsletter open rate", "0"),
        ("Newsletter language", "no"),
        ("Invalid email address", "false"),
        ("Email subscription disabled", "false"),
        ("Email badge", "yes"),
        ("Newsletter", "notes and news"),
    ],
)
def test_a_column_about_something_else_holds_no_line(column: str, text: str) -> None:
    row = read_line({column: text})
    assert isinstance(row, PersonRow)
    assert (row.kind, list(row.attributes.values())) == ("join", [text])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("Email SMS opt-out", "yes"),
        ("Email & postal opt out", "yes"),
        ("Email and phone consent", "no"),
        ("Opt out of mail and email", "yes"),
        ("Desabonnement", "oui"),
        ("Désabonnement", "oui"),
        ("Desinscription", "oui"),
        ("Boletin", "no"),
        ("Situacion", "baja"),
        ("Etat", "désabonné"),
        ("No newsletter", "yes"),
        ("Kein Newsletter", "ja"),
        ("Ohne Newsletter", "ja"),
        ("Consent given", "no"),
        ("Pas de newsletter", "oui"),
        ("Baja newsletter", "sí"),
        ("Bloqueado", "sí"),
        ("Descadastro", "sim"),
        ("Відписка", "так"),
        ("Fecha baja", "2026-03-31"),
        ("NPAI", "oui"),
        ("Devolvido", "sim"),
        ("unzustellbar", "ja"),
        ("Receive emails", "No"),
        ("Can we email you?", "N"),
        ("Email permission", "no"),
        ("Recibir correos", "no"),
        ("Marketing", "no"),
        ("Don’t email", "yes"),
        ("Bounced", "yes"),
        ("email1_is_bad", "true"),
        ("Email Permission Status", "Unsubscribed"),
        ("Opted out of email: Newsletter", "Yes"),
        ("Consent withdrawn", "yes"),
        ("Consent revoked on", "5 May 2026"),
        ("Einwilligung widerrufen am", "31.03.26"),
        ("Date of death", "2020-01-01"),
        ("Deceased date", "May 2020"),
        ("Newsletter opt-out date", "31 Mar 2026"),
        ("Newsletter", "No (by phone)"),
        ("Newsletter", "No."),
        ("Newsletter", "Never"),
        ("Newsletter", "Opt-Out"),
        ("Newsletter", "unsubscribed in 2024"),
        ("Newsletter", "✗"),
        ("Consent", "withdrawn"),
        ("Consent", "declined by letter"),
        ("Einwilligung", "abgelehnt"),
        ("Newsletter", "No: use n.lee@example.org"),
        ("Email preferences", "None"),
        ("Keep in touch - Email", "No"),
        ("Email communications", "No"),
        ("Comunicaciones email", "no"),
        ("Quiere correos", "no"),
        ("E-Mail erwünscht", "nein"),
        ("Ne souhaite pas de courriels", "oui"),
        ("NoEmail", "True"),
        ("Stop emails", "Yes"),
        ("Exclude from mailings", "Yes"),
        ("Invalid email address", "true"),
        ("Email address inactive", "Yes"),
        ("Email address quarantined", "true"),
        ("Email subscription disabled", "true"),
        ("Email consent status", "Not given"),
        ("Newsletter", "stopped 2023"),
    ],
)
def test_a_column_that_may_stop_mail_holds_the_line(column: str, text: str) -> None:
    row = read_line({column: text})
    assert isinstance(row, RefusedRow)
    assert f"says “{text}”. This may mean" in row.reason


@pytest.mark.parametrize(
    ("mail", "email", "no"),
    [
        ("Mail Allowed", "Email Allowed", "No"),
        ("Mail opt-in", "E-mail opt-in", "no"),
        ("Marketing: Mail", "Marketing: Email", "No"),
        ("No Mail", "NoEmail", "True"),
    ],
)
def test_mail_beside_the_same_column_of_email_is_post(mail: str, email: str, no: str) -> None:
    yes = "False" if no == "True" else "Yes"
    assert read_line({mail: no, email: yes}).kind == "join"
    assert isinstance(read_line({mail: yes, email: no}), RefusedRow)
    assert isinstance(read_line({mail: no, "Colour": "red"}), RefusedRow)


@pytest.mark.parametrize("column", ["unsubscribed on", "Date unsubscribed", "Unsubscribe date", "Opt-out date"])
def test_a_date_of_unsubscribing_has_other_names_too(column: str) -> None:
    assert read_line({column: "2026-03-31"}).kind == "left_list"
    assert isinstance(read_line({column: "31 Mar 2026"}), RefusedRow)


@pytest.mark.parametrize("column", ["opt out", "on hold"])
def test_an_empty_answer_contradicts_no_date_of_unsubscribing(column: str) -> None:
    assert read_line({column: "", "unsubscribed at": "2026-03-31"}).kind == "left_list"


@pytest.mark.parametrize("column", ["Opt in", "Marketing consent", "Subscribed"])
@pytest.mark.parametrize("other", ["status", "is_subscribed"])
def test_an_empty_answer_holds_no_line_that_says_subscribed(column: str, other: str) -> None:
    assert read_line({column: "", other: "yes"}).kind == "join"
    assert read_line({column: "", other: "unsubscribed" if other == "status" else "no"}).kind == "left_list"
    held = read_line({column: "", other: ""})
    assert isinstance(held, RefusedRow)
    assert "agreed to mail is empty, so the line was not imported" in held.reason


def test_no_second_column_about_mail_is_left_out() -> None:
    """A “no” in the second column would not be read."""
    with pytest.raises(BadFile, match=r"^newsletter is there more than once"):
        read_line({"Newsletter": "yes", "newsletter ": "no"})
    assert read_line({"Opt-out": "no", "OPT OUT": "yes"}).kind == "left_all"
    assert read_line({"Colour": "red", "colour ": "blue"}).kind == "join"


@pytest.mark.parametrize("column", ["No newsletter", "Pas de newsletter", "Bloqueado", "Desabonnement", "NPAI"])
def test_a_no_in_a_column_that_negates_holds_no_line(column: str) -> None:
    assert read_line({column: "no"}).kind == "join"


@pytest.mark.parametrize(("column", "target"), [("Consent", "consent"), ("Newsletter", "newsletter"), ("X", "consent")])
def test_an_attribute_that_a_person_chose_holds_no_line(column: str, target: str) -> None:
    row = read_line({column: "no"}, chosen={column: f"attribute:{target}"})
    assert isinstance(row, PersonRow)
    assert (row.kind, row.attributes) == ("join", {target: "no"})


def test_a_chosen_attribute_replaces_the_guess_of_another_column() -> None:
    row = read_line({"X": "no", "Consent": "yes"}, chosen={"X": "attribute:consent"})
    assert isinstance(row, PersonRow)
    assert row.attributes == {"consent": "no"}


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("03/04/2026", "can mean two different days"),
        ("00/00/0000", "is not a day"),
        ("05/05/2026 25:00", "is not a day"),
        ("0/4/2026", "is not a day"),
    ],
)
def test_only_two_different_months_are_two_different_days(text: str, note: str) -> None:
    row = read_line({"signed up": text})
    assert isinstance(row, PersonRow)
    assert note in row.notes[0]


@pytest.mark.parametrize(
    "column", ["Newsletter seit", "Subscribed on", "Date subscribed", "abonniert seit", "opt-in date"]
)
@pytest.mark.parametrize("text", ["nein", "no", "never", "unsubscribed", "abgemeldet", "widerrufen", "withdrawn"])
def test_a_date_of_sign_up_that_says_no_refuses_the_row(column: str, text: str) -> None:
    row = read_line({column: text})
    assert isinstance(row, RefusedRow)
    assert row.kind == RefusalKind.UNKNOWN_STATUS


@pytest.mark.parametrize("text", ["2024-03-12", "12.03.2024", "", "0", "NULL", "n/a", "last spring"])
def test_a_date_of_sign_up_that_does_not_say_no_is_used(text: str) -> None:
    row = read_line({"Newsletter seit": text})
    assert isinstance(row, PersonRow)
