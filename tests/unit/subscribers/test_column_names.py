"""Recognising the columns of a file by their names, in the languages that readers can choose."""

import io

import pytest

from newsletter.common.languages import OFFERED_LANGUAGES
from subscribers.importing.reading.column_mapping import guess_mapping, guess_target
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RowKind
from subscribers.importing.reading.people_file import inspect_file, read_people

pytestmark = [pytest.mark.requirement("D2")]

HEADERS = {
    "en": "Email,First name,Last name,City,Country,Language",
    "es": "Correo electrónico,Nombre,Apellidos,Ciudad,País,Idioma",
    "fr": "Adresse e-mail,Prénom,Nom,Ville,Pays,Langue",
    "de": "E-Mail-Adresse,Vorname,Nachname,Ort,Land,Sprache",
    "pt": "Endereço de email,Nome,Sobrenome,Cidade,País,Idioma",
    "ro": "Adresă de e-mail,Prenume,Nume,Oraș,Țară,Limba",
    "hi": "ईमेल,नाम,उपनाम,शहर,देश,भाषा",
    "ar": "البريد الإلكتروني,الاسم الأول,اسم العائلة,المدينة,البلد,اللغة",
    "uk": "Електронна пошта,Ім’я,Прізвище,Місто,Країна,Мова",
}


@pytest.mark.parametrize("language", OFFERED_LANGUAGES)
def test_usual_columns_are_recognised_in_each_language(language: str) -> None:
    fields = ["email", "first_name", "last_name", "city", "country", "language"]
    assert guess_mapping(HEADERS[language].split(",")) == fields


@pytest.mark.parametrize(
    ("names", "field"),
    [
        ("Población, Localidad, Municipio, Ciudad, Stadt, Wohnort, Município, Localitate, Населений пункт", "city"),
        ("Provincia, Bundesland, Région, Județ, राज्य, область", "region"),
        ("PLZ, Código postal, Code postal, Cod poștal, पिन कोड, Поштовий індекс", "postcode"),
        ("Ім'я, Імʼя, ІМ’Я", "first_name"),
        ("Pais, Tara, Ţară, الدولة", "country"),
        ("البريد الالكتروني, Correo electronico, Adresse de courriel, Dirección de e-mail, Kontakt-E-Mail", "email"),
        ("Vor- und Zuname, Vorname Nachname, Nom Prénom, Nombre y apellido, Apellidos y nombre", "name"),
        ("Rufname, Vornamen, Prénoms, Primer nombre", "first_name"),
        ("Nom d'usage, Primer apellido", "last_name"),
        ("Ländercode, Wohnland, Code pays, Pays de résidence, País de residencia", "country"),
        ("Landkreis, Département, Canton, Estado/Provincia", "region"),
        ("Ortschaft, Ville de résidence, Pueblo, Ciudad de residencia", "city"),
        ("Korrespondenzsprache, Bevorzugte Sprache, Langue préférée, Idioma preferido", "language"),
        ("Thema, Interessen, Schlagworte, Centres d'intérêt, Étiquettes, Intereses, Etiquetas", "topics"),
        ("Spenderstatus, Statut de donateur, Estado de donante", "giving"),
        ("Quelle, Anmeldequelle, Provenance, Source d'inscription, Fuente", "source"),
        (
            "Eingetragen am, Anmeldedatum, Angemeldet am, Datum der Anmeldung, Abonniert seit, Newsletter seit",
            "asked_on",
        ),
        ("Inscrite le, Inscrit(e) le, Date inscription, Abonné depuis, Date du consentement", "asked_on"),
        ("Fecha alta, Fecha de inscripción, Suscrito el, Inscrito el, Apuntado el, Subscription date", "asked_on"),
        ("Einwilligung gültig bis, Consentement valable jusqu'au, Consentimiento válido hasta", "expires_on"),
        ("Umkreis (km), Entfernung in km, Rayon (km), Radio en km", "radius_km"),
        ("Versandhäufigkeit, Fréquence d'envoi, Frecuencia de envío", "mail_frequency"),
        ("Pausiert bis, En pause jusqu'au, En pausa hasta", "paused_until"),
        ("Ausgetragen am, Datum der Abmeldung, Date désinscription, Dado de baja el", "left_on"),
        ("Unzustellbar seit, Fecha de rebote", "bounced_on"),
        ("Abmeldegrund, Motif de désinscription, Motivo de baja", "left_because"),
    ],
)
def test_other_spellings_of_a_column_are_recognised(names: str, field: str) -> None:
    assert {name: guess_target(name) for name in names.split(", ")} == dict.fromkeys(names.split(", "), field)


@pytest.mark.parametrize(
    "names",
    [
        "Notes, Comments, Remarks, Internal notes, Bemerkung, Bemerkungen, Notizen, Kommentar, Anmerkung, Hinweise",
        "Remarque, Commentaires, Observations, Notas, Comentarios, Observaciones, Observações, Note interne",
    ],
)
def test_a_column_of_private_notes_is_left_out(names: str) -> None:
    assert {name: guess_target(name) for name in names.split(", ")} == dict.fromkeys(names.split(", "), "")


@pytest.mark.parametrize(
    "name",
    [
        "Tel.",
        "Mobil",
        "Portable",
        "IBAN",
        "Domicilio",
        "Telefon",
        "Straße",
        "Geburtsdatum",
        "Teléfono",
        "Rue",
        "Адреса",
        "फ़ोन",
        "الهاتف",
    ],
)
def test_street_telephone_and_birthday_are_left_out_by_any_name(name: str) -> None:
    assert guess_target(name) == ""


CONSENT_COLUMNS = {
    "es": "Estado de suscripción,Suscrito,Consentimiento boletín,Dado de baja,Fecha de alta,Fecha de baja",
    "fr": "Statut d’abonnement,Abonné,Consentement newsletter,Désabonné,Date d’inscription,Date de désinscription",
    "de": "Anmeldestatus,Abonniert,Einwilligung Newsletter,Abgemeldet,Anmeldedatum,Abmeldedatum",
    "pt": "Estado da subscrição,Subscrito,Consentimento newsletter,Descadastrado,Data de inscrição,Data de cancelamento",
    "ro": "Stare abonament,Abonat,Consimțământ newsletter,Dezabonat,Data abonării,Data dezabonării",
    "hi": "सदस्यता स्थिति,सब्सक्राइब किया,न्यूज़लेटर सहमति,सदस्यता समाप्त,सदस्यता तिथि,सदस्यता समाप्ति तिथि",
    "ar": "حالة الاشتراك,مشترك في النشرة البريدية,الموافقة على النشرة البريدية,ألغى الاشتراك,تاريخ الاشتراك,تاريخ إلغاء الاشتراك",
    "uk": "Статус підписки,Підписаний,Згода на розсилку,Відписаний,Дата підписки,Дата відписки",
}


@pytest.mark.parametrize("language", [language for language in OFFERED_LANGUAGES if language != "en"])
def test_columns_about_consent_are_recognised_in_each_language(language: str) -> None:
    fields = ["status", "subscribed", "agreed", "opted_out", "asked_on", "left_on"]
    assert guess_mapping(CONSENT_COLUMNS[language].split(",")) == fields


@pytest.mark.parametrize("name", ["Estado", "Apelido", "CP", "Titel", "Spende"])
def test_a_name_with_several_meanings_stays_an_extra_field(name: str) -> None:
    assert guess_target(name) == f"attribute:{name.lower()}"


@pytest.mark.parametrize(
    "header", ["Nombre,Apellidos", "Prénom,Nom", "Vorname,Name", "Nome,Sobrenome", "Prenume,Nume", "नाम,उपनाम"]
)
def test_both_parts_of_a_name_are_imported(header: str) -> None:
    file = io.BytesIO(f"email,{header}\nada@example.org,Ada,Lovelace\n".encode())
    detected = inspect_file(file)
    (row,) = read_people(file, detected=detected, mapping=detected.guess(), terms=ImportTerms(kind=RowKind.JOIN))
    assert isinstance(row, PersonRow)
    assert row.name == "Ada Lovelace"


@pytest.mark.parametrize(
    ("header", "cells", "name"),
    [
        ("Name,First name", "Lovelace,Ada", "Ada Lovelace"),
        ("Name,Prénom", "Lovelace,Ada", "Ada Lovelace"),
        ("Nome,Last name", "Ada,Lovelace", "Ada Lovelace"),
        ("Name,First name", "Ada Lovelace,Ada", "Ada Lovelace"),
        ("Name,First name", "Ada,ada", "Ada"),
        ("Name,First name", ",Ada", "Ada"),
        ("Name,First name", "Rob,Robert", "Rob"),
        ("Name,First name", "Johnson,John", "John Johnson"),
        ("Nome,Last name", "Peter,Peterson", "Peter Peterson"),
        ("Name,First name,Last name", "ada99,Ada,Lovelace", "ada99"),
        ("Name,First name,Last name", "Bob,Robert,", "Bob"),
        ("Name,Vorname,Nachname", "Bob,Robert,", "Bob"),
        ("Display name,First name", "ada99,Ada", "ada99"),
        ("Contact name,Last name", "Ada,Lovelace", "Ada"),
    ],
)
def test_a_single_word_beside_one_part_of_a_name_is_the_other_part(header: str, cells: str, name: str) -> None:
    file = io.BytesIO(f"email,{header}\nada@example.org,{cells}\n".encode())
    detected = inspect_file(file)
    (row,) = read_people(file, detected=detected, mapping=detected.guess(), terms=ImportTerms(kind=RowKind.JOIN))
    assert isinstance(row, PersonRow)
    assert row.name == name


@pytest.mark.parametrize("header", ["Nombre", "Nom", "Name", "Nome,First name", "Name,Prénom"])
def test_a_name_without_its_other_part_is_the_full_name(header: str) -> None:
    assert guess_mapping(header.split(","))[0] == "name"
