"""The usual names of columns in the languages that readers can choose, besides English.

Columns are compared without accents, so each name is here once: with its accents. `POSSIBLE_STATES` has those with several
meanings.
"""

_NAMES = {
    "email": (
        *("correo", "correo electrónico", "dirección de correo", "dirección de correo electrónico"),
        *("courriel", "adresse e-mail", "adresse email", "adresse mail", "adresse courriel", "adresse électronique"),
        *("e-mail-adresse", "email-adresse", "e-mailadresse", "emailadresse", "mailadresse", "mail-adresse"),
        *("endereço de e-mail", "endereço de email", "endereço eletrônico", "correio eletrônico", "correio eletrónico"),
        *(
            "adresă de e-mail",
            "adresa de e-mail",
            "adresă de email",
            "adresa de email",
            "adresă e-mail",
            "adresă email",
        ),
        *("ईमेल", "ई-मेल", "ईमेल पता", "ई-मेल पता"),
        *("البريد الإلكتروني", "بريد إلكتروني", "عنوان البريد الإلكتروني", "الإيميل"),
        *("електронна пошта", "електронна адреса", "адреса електронної пошти", "ел. пошта", "імейл"),
    ),
    "name": (
        *("nombre", "nombre completo", "nombre y apellidos", "nom", "nom complet", "nom et prénom", "prénom et nom"),
        *("vollständiger name", "vor- und nachname", "nome", "nome completo"),
        *("nume", "nume complet", "nume și prenume", "नाम", "पूरा नाम", "الاسم", "الاسم الكامل"),
        *("піб", "повне ім'я", "ім'я та прізвище", "прізвище та ім'я"),
    ),
    "first_name": (
        *("nombre de pila", "prénom", "vorname", "primeiro nome", "nome próprio", "prenume"),
        *("पहला नाम", "प्रथम नाम", "الاسم الأول", "ім'я"),
    ),
    "last_name": (
        *("apellido", "apellidos", "nom de famille", "nachname", "familienname", "zuname"),
        *("sobrenome", "nome de família", "último nome", "nume de familie"),
        *("उपनाम", "कुलनाम", "अंतिम नाम", "اسم العائلة", "الاسم الأخير", "прізвище"),
    ),
    "country": ("país", "pays", "land", "țară", "देश", "البلد", "الدولة", "країна"),
    "region": (
        *("provincia", "comunidad autónoma", "región", "région", "bundesland", "kanton", "região", "județ", "județul"),
        *("राज्य", "المحافظة", "область"),
    ),
    "city": (
        *("ciudad", "población", "localidad", "municipio", "ville", "commune", "localité", "ort", "stadt", "wohnort"),
        *("cidade", "município", "oraș", "orașul", "localitate", "localitatea", "शहर", "المدينة"),
        *("місто", "населений пункт"),
    ),
    "postcode": (
        *("código postal", "code postal", "plz", "postleitzahl", "cep", "cod poștal"),
        *("पिन कोड", "पिनकोड", "डाक कोड", "الرمز البريدي", "поштовий індекс"),
    ),
    "language": ("idioma", "langue", "sprache", "língua", "limbă", "भाषा", "اللغة", "мова"),
    "topics": ("temas", "thèmes", "themen", "teme", "विषय", "المواضيع", "теми"),
    "timezone": (
        *("zona horaria", "huso horario", "fuseau horaire", "zeitzone", "fuso horário", "fus orar"),
        *("समय क्षेत्र", "المنطقة الزمنية", "часовий пояс"),
    ),
    "status": (
        *("estado de suscripción", "estado de la suscripción", "estado del suscriptor"),
        *("statut d'abonnement", "statut de l'abonnement", "statut d'inscription", "état de l'abonnement"),
        *("anmeldestatus", "abonnementstatus", "abo-status", "abostatus", "newsletter-status", "newsletterstatus"),
        *("status da inscrição", "estado da inscrição", "estado da subscrição", "status da assinatura"),
        *("stare abonament", "starea abonamentului", "statut abonament"),
        *("सदस्यता स्थिति", "सदस्यता की स्थिति", "حالة الاشتراك", "статус підписки", "стан підписки"),
    ),
    "subscribed": (
        *("suscrito", "suscrita", "suscripto", "recibe el boletín", "abonné", "abonné à la newsletter"),
        *("inscrit à la newsletter", "reçoit la newsletter", "abonniert", "newsletter abonniert"),
        *("newsletter-abonnent", "subscrito", "assinante", "recebe a newsletter", "recebe o boletim", "abonat"),
        *("abonat la newsletter", "सब्सक्राइब किया", "مشترك في النشرة البريدية", "підписаний", "підписана", "підписано"),
    ),
    "agreed": (
        *("acepta comunicaciones", "acepta recibir correos", "consentimiento newsletter", "consentimiento boletín"),
        *("accepte les e-mails", "accepte de recevoir la newsletter", "consentement newsletter"),
        *("einwilligung newsletter", "newsletter-einwilligung", "aceita receber e-mails", "consentimento newsletter"),
        *("consimțământ newsletter", "न्यूज़लेटर सहमति", "الموافقة على النشرة البريدية", "згода на розсилку"),
    ),
    "opted_out": (
        *(
            "baja",
            "dado de baja",
            "dada de baja",
            "no contactar",
            "no enviar correos",
            "no enviar correo",
            "desuscrito",
        ),
        *("fallecido", "fallecida", "désabonné", "désabonnée", "désinscrit", "désinscrite", "ne pas contacter"),
        *("ne pas envoyer d'e-mails", "décédé", "décédée", "abgemeldet", "abbestellt", "nicht kontaktieren"),
        *("keine e-mails", "keine e-mail", "keine mails", "werbewiderspruch", "verstorben"),
        *("descadastrado", "descadastrada", "não contactar", "não contatar", "não enviar e-mail", "não enviar e-mails"),
        *(
            "falecido",
            "falecida",
            "dezabonat",
            "dezabonată",
            "nu contactați",
            "a nu se contacta",
            "decedat",
            "decedată",
        ),
        *("सदस्यता समाप्त", "संपर्क न करें", "ألغى الاشتراك", "متوفى"),
        *("відписаний", "відписана", "відписано", "відписався", "не контактувати", "не писати"),
    ),
    "on_hold": ("rebotado", "nelivrabil", "недоставлено"),
    "asked_on": (
        *("fecha de alta", "fecha de suscripción", "fecha de inscripción", "fecha de registro"),
        *("fecha de consentimiento", "date d'inscription", "date d'abonnement", "date de consentement"),
        *("inscrit le", "abonné le", "anmeldedatum", "angemeldet am", "abonniert am", "einwilligungsdatum"),
        *("einwilligung am", "data de inscrição", "data da inscrição", "data de subscrição", "data de cadastro"),
        *("data do cadastro", "data do consentimento", "inscrito em", "data abonării", "data înscrierii"),
        *("सदस्यता तिथि", "تاريخ الاشتراك", "تاريخ التسجيل", "дата підписки", "дата згоди"),
    ),
    "left_on": (
        *("fecha de baja", "date de désinscription", "date de désabonnement", "désinscrit le", "désabonné le"),
        *("abmeldedatum", "abgemeldet am", "abbestellt am", "data de cancelamento", "data do cancelamento"),
        *("data dezabonării", "सदस्यता समाप्ति तिथि", "تاريخ إلغاء الاشتراك", "дата відписки"),
    ),
}
POSSIBLE_STATES = (
    *(
        "newsletter",
        "mailing",
        "e-newsletter",
        "double opt-in",
        "enews",
        "consent",
        "gdpr",
        "gdpr consent",
        "active",
        "enabled",
    ),
    *("estado", "estatus", "situación", "boletín", "rgpd", "activo", "inscrito", "inscrita"),
    *("statut", "état", "situation", "infolettre", "lettre d'information", "inscrit", "inscrite", "actif"),
    *("zustand", "rundbrief", "rundmail", "dsgvo", "zustimmung", "aktiv", "angemeldet", "mailingliste"),
    *("situação", "boletim", "lgpd", "ativo", "stare", "statut", "buletin", "activ", "acord", "înscris"),
    *("स्थिति", "न्यूज़लेटर", "सक्रिय", "الحالة", "النشرة", "النشرة البريدية", "نشط"),
    *("статус", "стан", "розсилка", "активний"),
    *(
        "consentimiento",
        "consentimiento rgpd",
        "consentement",
        "consentement rgpd",
        "einwilligung",
        "dsgvo-einwilligung",
    ),
    *(
        "einverständnis",
        "consentimento",
        "consentimento rgpd",
        "consentimento lgpd",
        "consimțământ",
        "consimțământ gdpr",
    ),
    *("acord gdpr", "सहमति", "الموافقة", "موافقة", "مشترك", "згода"),
)
"""Names of columns that may say that a person unsubscribed, or mean something else. A value that stops mail holds the line."""
POSSIBLE_OPT_OUTS = ("npai", "unzustellbar", "devolvido", "devolvida", "عدم الاتصال")
"""Names of such columns whose “yes” would stop mail. Some are about letters by post."""
TRANSLATED_NAMES = {name: field for field, names in _NAMES.items() for name in names}
"""The field of each name."""
PARTS_OF_NAMES = {
    "nombre": ("first_name", {"apellido", "apellidos"}),
    "nome": ("first_name", {"sobrenome", "nome de família", "último nome"}),
    "नाम": ("first_name", {"उपनाम", "कुलनाम", "अंतिम नाम"}),
    "الاسم": ("first_name", {"اسم العائلة", "الاسم الأخير"}),
    "nom": ("last_name", {"prénom"}),
    "name": ("last_name", {"vorname"}),
    "nume": ("last_name", {"prenume"}),
}
"""Columns of a full name that contain only this part of it if the file has one of these other columns."""
TRANSLATED_IRRELEVANT = (
    *("dirección", "dirección postal", "calle", "teléfono", "móvil", "fecha de nacimiento", "cumpleaños"),
    *("rue", "adresse postale", "téléphone", "date de naissance", "anniversaire"),
    *(
        "adresse",
        "anschrift",
        "straße",
        "hausnummer",
        "telefon",
        "telefonnummer",
        "handy",
        "geburtsdatum",
        "geburtstag",
    ),
    *("endereço", "rua", "telefone", "celular", "telemóvel", "data de nascimento"),
    *("adresă", "stradă", "număr de telefon", "data nașterii"),
    *("पता", "फ़ोन", "फ़ोन नंबर", "मोबाइल", "जन्मतिथि", "जन्म तिथि"),
    *("العنوان", "الشارع", "الهاتف", "رقم الهاتف", "الجوال", "تاريخ الميلاد", "تاريخ الولادة"),
    *("адреса", "вулиця", "телефон", "номер телефону", "дата народження"),
)
"""Names of columns that are left out unless a person chooses otherwise: street, telephone and birthday."""
