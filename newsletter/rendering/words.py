"""The system's own words in a mail, per language. Headings that the caller passes win over them."""

import re
from collections.abc import Mapping

from newsletter.rendering.errors import RenderingError

_PLACE = re.compile(r"\{(\w+)\}")
FALLBACK = "en"
_RTL = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku", "ps", "sd", "syr", "ug", "ur", "yi"})

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "add_to_calendar": "Add to your calendar",
        "donor_portal": "Donor portal",
        "events_host": "Host an event near you",
        "events_near": "Events near you",
        "events_online": "Events online",
        "events_region": "Events in your region",
        "follow": "Follow us",
        "footer": "About this letter",
        "give": "Give",
        "host_button": "Plan an event with us",
        "host_invitation": "Nothing is planned near you yet. Would you like to bring people together? We help with "
        "everything you need.",
        "more_stories": "More stories",
        "online": "Online",
        "preferences": "Choose what you get",
        "read_story": "Read the whole story",
        "related": "You might also be interested in",
        "unsubscribe": "Unsubscribe",
        "view_online": "View online",
        "website": "Our website",
        "why_you_get_this": "You get this because you signed up for {list} from {organisation}.",
    },
    "es": {
        "add_to_calendar": "Añadir a tu calendario",
        "donor_portal": "Portal de donantes",
        "events_host": "Organiza un encuentro cerca de ti",
        "events_near": "Eventos cerca de ti",
        "events_online": "Eventos en línea",
        "events_region": "Eventos en tu región",
        "follow": "Síguenos",
        "footer": "Sobre este boletín",
        "give": "Donar",
        "host_button": "Planea un encuentro con nosotros",
        "host_invitation": "Todavía no hay nada previsto cerca de ti. ¿Te gustaría reunir a la gente? Te ayudamos con "
        "todo lo que necesites.",
        "more_stories": "Más historias",
        "online": "En línea",
        "preferences": "Elige lo que recibes",
        "read_story": "Leer la historia completa",
        "related": "También te puede interesar",
        "unsubscribe": "Darse de baja",
        "view_online": "Ver en línea",
        "website": "Nuestro sitio web",
        "why_you_get_this": "Recibes este correo porque te suscribiste a {list}, de {organisation}.",
    },
    "fr": {
        "add_to_calendar": "Ajouter à votre agenda",
        "donor_portal": "Espace donateurs",
        "events_host": "Organisez une rencontre près de chez vous",
        "events_near": "Près de chez vous",
        "events_online": "Événements en ligne",
        "events_region": "Dans votre région",
        "follow": "Suivez-nous",
        "footer": "À propos de cette lettre",
        "give": "Faire un don",
        "host_button": "Préparer une rencontre avec nous",
        "host_invitation": "Rien n’est encore prévu près de chez vous. Aimeriez-vous réunir du monde ? Nous vous "
        "aidons à tout préparer.",
        "more_stories": "Autres récits",
        "online": "En ligne",
        "preferences": "Choisir ce que vous recevez",
        "read_story": "Lire le récit en entier",
        "related": "À lire aussi",
        "unsubscribe": "Se désabonner",
        "view_online": "Voir en ligne",
        "website": "Notre site",
        "why_you_get_this": "Vous recevez ce message car vous vous êtes inscrit à {list}, de {organisation}.",
    },
    "de": {
        "add_to_calendar": "In den Kalender eintragen",
        "donor_portal": "Spenderportal",
        "events_host": "Laden Sie selbst zu einem Treffen ein",
        "events_near": "Veranstaltungen in Ihrer Nähe",
        "events_online": "Veranstaltungen online",
        "events_region": "Veranstaltungen in Ihrer Region",
        "follow": "Folgen Sie uns",
        "footer": "Über diesen Brief",
        "give": "Spenden",
        "host_button": "Ein Treffen mit uns planen",
        "host_invitation": "In Ihrer Nähe ist noch nichts geplant. Möchten Sie Menschen zusammenbringen? Wir helfen "
        "bei allem, was Sie brauchen.",
        "more_stories": "Weitere Geschichten",
        "online": "Online",
        "preferences": "Auswählen, was Sie bekommen",
        "read_story": "Die ganze Geschichte lesen",
        "related": "Das könnte Sie auch interessieren",
        "unsubscribe": "Abbestellen",
        "view_online": "Im Browser ansehen",
        "website": "Unsere Website",
        "why_you_get_this": "Sie bekommen diese Nachricht, weil Sie sich für {list} von {organisation} angemeldet "
        "haben.",
    },
    "pt": {
        "add_to_calendar": "Adicionar ao calendário",
        "donor_portal": "Portal de doadores",
        "events_host": "Organize um encontro perto de si",
        "events_near": "Eventos perto de si",
        "events_online": "Eventos online",
        "events_region": "Eventos na sua região",
        "follow": "Siga-nos",
        "footer": "Sobre esta carta",
        "give": "Doar",
        "host_button": "Planear um encontro connosco",
        "host_invitation": "Ainda não há nada previsto perto de si. Gostaria de reunir pessoas? Ajudamos com tudo o "
        "que for preciso.",
        "more_stories": "Mais histórias",
        "online": "Online",
        "preferences": "Escolher o que recebe",
        "read_story": "Ler a história completa",
        "related": "Também lhe pode interessar",
        "unsubscribe": "Cancelar a subscrição",
        "view_online": "Ver online",
        "website": "O nosso site",
        "why_you_get_this": "Recebe esta mensagem porque se inscreveu em {list}, de {organisation}.",
    },
    "ar": {
        "add_to_calendar": "أضف إلى تقويمك",
        "donor_portal": "بوابة المتبرعين",
        "events_host": "استضف لقاءً بالقرب منك",
        "events_near": "فعاليات بالقرب منك",
        "events_online": "فعاليات عبر الإنترنت",
        "events_region": "فعاليات في منطقتك",
        "follow": "تابعنا",
        "footer": "عن هذه الرسالة",
        "give": "تبرع",
        "host_button": "خطط معنا للقاء",
        "host_invitation": "لا شيء مقرر بالقرب منك حتى الآن. هل تود أن تجمع الناس؟ نساعدك في كل ما تحتاج إليه.",
        "more_stories": "قصص أخرى",
        "online": "عبر الإنترنت",
        "preferences": "اختر ما يصلك",
        "read_story": "اقرأ القصة كاملة",
        "related": "قد يهمك أيضًا",
        "unsubscribe": "إلغاء الاشتراك",
        "view_online": "عرض في المتصفح",
        "website": "موقعنا",
        "why_you_get_this": "تصلك هذه الرسالة لأنك اشتركت في {list} من {organisation}.",
    },
}


def word(key: str, language: str, **values: str) -> str:
    """The words for ``key`` in the language, else in English, with ``values`` filled in as they are.

    Raises RenderingError for a key that no language has, KeyError for a value that the words need and lack.
    """
    for table in (WORDS.get(base_language(language), {}), WORDS[FALLBACK]):
        if key in table:
            return _PLACE.sub(lambda place: values[place[1]], table[key])
    raise RenderingError(f"There are no words called “{key}”. Use one of {', '.join(sorted(WORDS[FALLBACK]))}.")


def direction_of(language: str) -> str:
    """``rtl`` for languages that are written from right to left, else ``ltr``."""
    parts = language.replace("_", "-").split("-")
    if len(parts) > 1 and parts[1].title() in {"Arab", "Hebr", "Latn"}:
        return "ltr" if parts[1].title() == "Latn" else "rtl"
    return "rtl" if parts[0].lower() in _RTL else "ltr"


def base_language(language: str) -> str:
    """``en`` of ``en-GB``."""
    return language.replace("_", "-").split("-", maxsplit=1)[0].lower()
