"""Words in the languages that readers can choose, besides English, for yes and no, and for the status of a person.

Values are compared without accents and in lower case. A word with several meanings is not here: its line is refused.
"""

from newsletter.common.text import fold_name
from subscribers.importing.reading.parsed_rows import RowKind

_YES = (
    *("sí", "si", "verdadero", "oui", "vrai", "ja", "j", "wahr", "sim", "verdadeiro", "da", "adevărat"),
    *("हाँ", "हां", "نعم", "так", "істина"),
)
_NO = (
    *("falso", "non", "faux", "nein", "falsch", "não", "nu", "fals"),
    *("नहीं", "لا", "ні", "хибність"),
)
_STATUS = {
    RowKind.JOIN: (
        *("suscrito", "suscrita", "suscripto", "activo", "activa", "confirmado", "confirmada", "alta", "dado de alta"),
        *("abonné", "abonnée", "inscrit", "inscrite", "actif", "active", "confirmé", "confirmée"),
        *("abonniert", "angemeldet", "aktiv", "bestätigt", "eingetragen"),
        *("inscrito", "inscrita", "subscrito", "subscrita", "assinante", "ativo", "ativa"),
        *("abonat", "abonată", "activ", "activă", "confirmat", "confirmată"),
        *("सक्रिय", "مشترك", "نشط", "مؤكد"),
        *("підписаний", "підписана", "підписано", "активний", "активна", "підтверджено"),
    ),
    RowKind.UNSUBSCRIBED_LIST: (
        *("baja", "de baja", "dado de baja", "dada de baja", "desuscrito", "desuscrita", "cancelado", "cancelada"),
        *("désabonné", "désabonnée", "désinscrit", "désinscrite", "désinscription", "désabonnement"),
        *("abgemeldet", "abbestellt", "ausgetragen", "gekündigt"),
        *(
            "descadastrado",
            "descadastrada",
            "desinscrito",
            "desinscrita",
            "subscrição cancelada",
            "inscrição cancelada",
        ),
        *("dezabonat", "dezabonată", "सदस्यता समाप्त", "सदस्यता रद्द", "ألغى الاشتراك", "تم إلغاء الاشتراك"),
        *("відписаний", "відписана", "відписано", "відписався", "відписалася", "відписалась"),
    ),
    RowKind.UNSUBSCRIBED_ALL: (
        *("bloqueado", "bloqueada", "bloqué", "bloquée", "liste noire", "gesperrt", "blockiert", "blocat", "blocată"),
        *("अवरुद्ध", "محظور", "заблокований", "заблокована", "заблоковано"),
    ),
    RowKind.BOUNCED: (
        *("rebotado", "rebotada", "rebote", "no entregable", "não entregue", "nelivrabil", "недоставлено"),
    ),
    RowKind.COMPLAINED: (
        *("queja", "marcado como spam", "plainte", "marqué comme spam", "beschwerde", "als spam gemeldet"),
        *("denúncia de spam", "reclamație", "شكوى", "скарга"),
    ),
}
_NEVER_SUBSCRIBED = (
    *(
        "pendiente",
        "sin confirmar",
        "no confirmado",
        "no confirmada",
        "no suscrito",
        "no suscrita",
        "inactivo",
        "inactiva",
    ),
    *("en attente", "non confirmé", "non confirmée", "non inscrit", "non abonné", "inactif", "inactive"),
    *("ausstehend", "unbestätigt", "nicht bestätigt", "nicht angemeldet", "inaktiv", "gelöscht"),
    *("pendente", "não confirmado", "não confirmada", "não inscrito", "não subscrito", "inativo", "inativa"),
    *("în așteptare", "neconfirmat", "neconfirmată", "inactiv", "inactivă"),
    *("लंबित", "अपुष्ट", "निष्क्रिय", "قيد الانتظار", "غير مؤكد", "غير نشط", "غير مشترك"),
    *("очікує підтвердження", "не підтверджено", "не підписаний", "не підписана", "неактивний", "неактивна"),
    *("eliminado", "eliminada", "supprimé", "supprimée", "removido", "removida", "видалено"),
)
_UNCLEAR = (
    "npai",
    "adresse invalide",
    "non distribuable",
    "unzustellbar",
    "nicht zustellbar",
    "devolvido",
    "devolvida",
)
YES, NO = frozenset(map(fold_name, _YES)), frozenset(map(fold_name, _NO))
STATUS = {fold_name(word): kind for kind, words in _STATUS.items() for word in words}
NEVER_SUBSCRIBED = frozenset(map(fold_name, _NEVER_SUBSCRIBED))
UNCLEAR = frozenset(map(fold_name, _UNCLEAR))
"""Words for something that came back: an email, or a letter by post. They suppress nobody and hold the line."""
