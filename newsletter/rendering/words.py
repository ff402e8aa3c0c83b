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
        "confirm_button": "Yes, send it to me",
        "confirm_reason": "You get this because somebody gave this address to {organisation}. If it was not"
        " you, do nothing: you will not be mailed again.",
        "confirm_subject": "Please confirm: {list}",
        "confirm_text": "Somebody, we think you, asked {organisation} to send {list} to this address. "
        "Press the button to confirm it. The link is good for seven days.",
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
        "confirm_button": "Sí, quiero recibirlo",
        "confirm_reason": "Recibes este correo porque alguien dio esta dirección a {organisation}. Si no "
        "fuiste tú, no hagas nada: no volveremos a escribirte.",
        "confirm_subject": "Confirma, por favor: {list}",
        "confirm_text": "Alguien, creemos que tú, pidió a {organisation} que enviara {list} a esta "
        "dirección. Pulsa el botón para confirmarlo. El enlace sirve siete días.",
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
        "confirm_button": "Oui, je veux la recevoir",
        "confirm_reason": "Vous recevez ce message car quelqu’un a donné cette adresse à {organisation}. Si"
        " ce n’est pas vous, ne faites rien : nous ne vous écrirons plus.",
        "confirm_subject": "Merci de confirmer : {list}",
        "confirm_text": "Quelqu’un, vous sans doute, a demandé à {organisation} d’envoyer {list} à cette "
        "adresse. Appuyez sur le bouton pour le confirmer. Le lien est valable sept "
        "jours.",
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
        "confirm_button": "Ja, bitte schicken",
        "confirm_reason": "Sie erhalten diese Nachricht, weil jemand diese Adresse bei {organisation} "
        "angegeben hat. Waren Sie es nicht, tun Sie nichts: Wir schreiben Ihnen nicht "
        "wieder.",
        "confirm_subject": "Bitte bestätigen: {list}",
        "confirm_text": "Jemand, vermutlich Sie, hat {organisation} gebeten, {list} an diese Adresse zu "
        "schicken. Mit dem Knopf bestätigen Sie das. Der Link gilt sieben Tage.",
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
        "confirm_button": "Sim, quero receber",
        "confirm_reason": "Recebe esta mensagem porque alguém deu este endereço a {organisation}. Se não "
        "foi você, não faça nada: não voltaremos a escrever.",
        "confirm_subject": "Confirme, por favor: {list}",
        "confirm_text": "Alguém, pensamos que você, pediu a {organisation} que enviasse {list} para este "
        "endereço. Carregue no botão para confirmar. A ligação é válida por sete dias.",
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
        "confirm_button": "نعم، أرسلوها إليّ",
        "confirm_reason": "تصلك هذه الرسالة لأن أحدهم أعطى هذا العنوان إلى {organisation}. إن لم تكن أنت "
        "فلا تفعل شيئًا، ولن نراسلك مرة أخرى.",
        "confirm_subject": "يرجى التأكيد: {list}",
        "confirm_text": "طلب أحدهم، ونظنه أنت، من {organisation} إرسال {list} إلى هذا العنوان. اضغط الزر "
        "للتأكيد. الرابط صالح سبعة أيام.",
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
