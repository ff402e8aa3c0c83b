"""Texts for readers in each language, beside those of the mail itself. A language that is not here gets English."""

from collections.abc import Mapping

from newsletter.common.translation_kind import collect_texts
from newsletter.rendering.phrases import base_language

_OWN: Mapping[str, Mapping[str, str]] = {
    "en": {
        "events": "Events",
        "cancelled_subject": "Cancelled: {title}",
        "cancelled_heading": "An event is cancelled",
        "cancelled_text": "We told you about “{title}” ({when}). It will not take place. We are sorry for the short notice.",
        "moved_subject": "Changed: {title}",
        "moved_heading": "An event has changed",
        "moved_text": "We told you about “{title}” ({when}). {change}",
        "moved_time": "New time: {when_now}. The place is the same.",
        "moved_place": "New place: {where_now}. The day and time are the same.",
        "moved_both": "It now takes place: {when_now}, {where_now}.",
        "moved_other": "Please look at the changed details below.",
        "moved_events": "As it is now",
        "restored_subject": "It takes place after all: {title}",
        "restored_heading": "An event takes place after all",
        "restored_text": (
            "We told you that “{title}” ({when}) was cancelled. "
            "That is no longer so: please look below at when and where it takes place."
        ),
        "restored_some_text": (
            "“{title}” takes place. We had told some of you that it was cancelled, "
            "and others another day or place. Please look below at when and where."
        ),
        "archive": "Earlier issues",
        "archive_of": "Issues of {name}",
        "all_issues": "All issues",
        "newer": "Newer",
        "older": "Older",
        "join": "Get it by email",
        "feed": "Feed (RSS)",
        "no_issues": "There is no issue yet.",
        "picture_withdrawn": "A picture that is no longer shown",
    },
    "es": {
        "events": "Eventos",
        "cancelled_subject": "Cancelado: {title}",
        "cancelled_heading": "Un evento se ha cancelado",
        "cancelled_text": "Te hablamos de “{title}” ({when}). No se celebrará. Sentimos avisarte tan tarde.",
        "moved_subject": "Cambio: {title}",
        "moved_heading": "Un evento ha cambiado",
        "moved_text": "Te hablamos de “{title}” ({when}). {change}",
        "moved_time": "Nueva hora: {when_now}. El lugar es el mismo.",
        "moved_place": "Nuevo lugar: {where_now}. El día y la hora son los mismos.",
        "moved_both": "Ahora se celebra: {when_now}, {where_now}.",
        "moved_other": "Mira abajo los datos que han cambiado.",
        "moved_events": "Como queda ahora",
        "restored_subject": "Se celebra finalmente: {title}",
        "restored_heading": "Un evento se celebra finalmente",
        "restored_text": (
            "Te dijimos que “{title}” ({when}) se había cancelado. Ya no es así: mira abajo cuándo y dónde se celebra."
        ),
        "restored_some_text": (
            "“{title}” se celebra. A algunas personas les dijimos que se había "
            "cancelado, y a otras, otro día u otro lugar. Mira abajo cuándo y dónde."
        ),
        "archive": "Números anteriores",
        "archive_of": "Números de {name}",
        "all_issues": "Todos los números",
        "newer": "Más reciente",
        "older": "Anterior",
        "join": "Recíbelo por correo",
        "feed": "Canal (RSS)",
        "no_issues": "Todavía no hay ningún número.",
        "picture_withdrawn": "Una imagen que ya no se muestra",
    },
    "fr": {
        "events": "Événements",
        "cancelled_subject": "Annulé : {title}",
        "cancelled_heading": "Un événement est annulé",
        "cancelled_text": "Nous vous avions annoncé « {title} » ({when}). Il n’aura pas lieu. Pardon de vous prévenir si tard.",
        "moved_subject": "Changement : {title}",
        "moved_heading": "Un événement a changé",
        "moved_text": "Nous vous avions annoncé « {title} » ({when}). {change}",
        "moved_time": "Nouvel horaire : {when_now}. Le lieu reste le même.",
        "moved_place": "Nouveau lieu : {where_now}. La date et l’heure restent les mêmes.",
        "moved_both": "Il a lieu maintenant : {when_now}, {where_now}.",
        "moved_other": "Voyez ci-dessous ce qui a changé.",
        "moved_events": "Ce qui vaut maintenant",
        "restored_subject": "Il a lieu finalement : {title}",
        "restored_heading": "Un événement a lieu finalement",
        "restored_text": (
            "Nous vous avions annoncé que « {title} » ({when}) était annulé. "
            "Il a lieu finalement : voyez ci-dessous la date et le lieu."
        ),
        "restored_some_text": (
            "« {title} » a lieu. Nous avions annoncé à certains qu’il était annulé, à "
            "d’autres un autre jour ou un autre lieu. Voyez ci-dessous la date et le lieu."
        ),
        "archive": "Numéros précédents",
        "archive_of": "Numéros de {name}",
        "all_issues": "Tous les numéros",
        "newer": "Plus récent",
        "older": "Précédent",
        "join": "Recevoir par courriel",
        "feed": "Flux (RSS)",
        "no_issues": "Il n’y a pas encore de numéro.",
        "picture_withdrawn": "Une image qui n’est plus montrée",
    },
    "de": {
        "events": "Veranstaltungen",
        "cancelled_subject": "Abgesagt: {title}",
        "cancelled_heading": "Eine Veranstaltung ist abgesagt",
        "cancelled_text": "Wir hatten „{title}“ angekündigt ({when}). Sie findet nicht statt. Verzeihen Sie die späte Nachricht.",
        "moved_subject": "Geändert: {title}",
        "moved_heading": "Eine Veranstaltung hat sich geändert",
        "moved_text": "Wir hatten „{title}“ angekündigt ({when}). {change}",
        "moved_time": "Neuer Termin: {when_now}. Der Ort bleibt gleich.",
        "moved_place": "Neuer Ort: {where_now}. Tag und Uhrzeit bleiben gleich.",
        "moved_both": "Es gilt jetzt: {when_now}, {where_now}.",
        "moved_other": "Bitte sehen Sie unten nach, was sich geändert hat.",
        "moved_events": "So gilt es jetzt",
        "restored_subject": "Findet doch statt: {title}",
        "restored_heading": "Eine Veranstaltung findet doch statt",
        "restored_text": (
            "Wir hatten geschrieben, dass „{title}“ ({when}) abgesagt ist. Die "
            "Veranstaltung findet doch statt, bitte sehen Sie unten nach, wann und wo."
        ),
        "restored_some_text": (
            "„{title}“ findet statt. Manchen hatten wir geschrieben, dass die Veranstaltung abgesagt "
            "ist, anderen einen anderen Tag oder Ort. Bitte sehen Sie unten nach, wann und wo."
        ),
        "archive": "Frühere Ausgaben",
        "archive_of": "Ausgaben von {name}",
        "all_issues": "Alle Ausgaben",
        "newer": "Neuere",
        "older": "Ältere",
        "join": "Per E-Mail bekommen",
        "feed": "Feed (RSS)",
        "no_issues": "Noch ist keine Ausgabe erschienen.",
        "picture_withdrawn": "Ein Bild, das nicht mehr gezeigt wird",
    },
    "pt": {
        "events": "Eventos",
        "cancelled_subject": "Cancelado: {title}",
        "cancelled_heading": "Um evento foi cancelado",
        "cancelled_text": "Falámos-lhe de “{title}” ({when}). Não se vai realizar. Pedimos desculpa por avisar tão tarde.",
        "moved_subject": "Mudança: {title}",
        "moved_heading": "Um evento mudou",
        "moved_text": "Falámos-lhe de “{title}” ({when}). {change}",
        "moved_time": "Nova data: {when_now}. O lugar é o mesmo.",
        "moved_place": "Novo lugar: {where_now}. O dia e a hora são os mesmos.",
        "moved_both": "Realiza-se agora: {when_now}, {where_now}.",
        "moved_other": "Veja abaixo o que mudou.",
        "moved_events": "Como fica agora",
        "restored_subject": "Afinal realiza-se: {title}",
        "restored_heading": "Um evento realiza-se afinal",
        "restored_text": (
            "Dissemos-lhe que “{title}” ({when}) tinha sido cancelado. Afinal realiza-se: veja abaixo quando e onde."
        ),
        "restored_some_text": (
            "“{title}” realiza-se. A algumas pessoas dissemos que tinha sido "
            "cancelado, e a outras, outro dia ou lugar. Veja abaixo quando e onde."
        ),
        "archive": "Edições anteriores",
        "archive_of": "Edições de {name}",
        "all_issues": "Todas as edições",
        "newer": "Mais recente",
        "older": "Anterior",
        "join": "Receber por email",
        "feed": "Feed (RSS)",
        "no_issues": "Ainda não há nenhuma edição.",
        "picture_withdrawn": "Uma imagem que já não é mostrada",
    },
    "ro": {
        "events": "Evenimente",
        "cancelled_subject": "Anulat: {title}",
        "cancelled_heading": "Un eveniment a fost anulat",
        "cancelled_text": "V-am anunțat despre „{title}” ({when}). Nu va mai avea loc. Ne cerem scuze pentru vestea târzie.",
        "moved_subject": "Schimbare: {title}",
        "moved_heading": "Un eveniment s-a schimbat",
        "moved_text": "V-am anunțat despre „{title}” ({when}). {change}",
        "moved_time": "Data nouă: {when_now}. Locul rămâne același.",
        "moved_place": "Locul nou: {where_now}. Ziua și ora rămân aceleași.",
        "moved_both": "Are loc acum: {when_now}, {where_now}.",
        "moved_other": "Vedeți mai jos ce s-a schimbat.",
        "moved_events": "Cum este acum",
        "restored_subject": "Are loc totuși: {title}",
        "restored_heading": "Un eveniment are loc totuși",
        "restored_text": "V-am anunțat că „{title}” ({when}) a fost anulat. Are loc totuși: vedeți mai jos când și unde.",
        "restored_some_text": (
            "„{title}” are loc. Pe unii v-am anunțat că a fost anulat, "
            "pe alții, altă zi sau alt loc. Vedeți mai jos când și unde."
        ),
        "archive": "Numere anterioare",
        "archive_of": "Numerele {name}",
        "all_issues": "Toate numerele",
        "newer": "Mai nou",
        "older": "Mai vechi",
        "join": "Primiți-l prin e-mail",
        "feed": "Flux (RSS)",
        "no_issues": "Încă nu există niciun număr.",
        "picture_withdrawn": "O imagine care nu mai este afișată",
    },
    "hi": {
        "events": "कार्यक्रम",
        "cancelled_subject": "रद्द: {title}",
        "cancelled_heading": "एक कार्यक्रम रद्द हो गया है",
        "cancelled_text": "हमने आपको “{title}” ({when}) के बारे में बताया था। यह नहीं होगा। देर से बताने के लिए क्षमा करें।",
        "moved_subject": "बदलाव: {title}",
        "moved_heading": "एक कार्यक्रम बदल गया है",
        "moved_text": "हमने आपको “{title}” ({when}) के बारे में बताया था। {change}",
        "moved_time": "नया समय: {when_now}। स्थान वही है।",
        "moved_place": "नया स्थान: {where_now}। दिन और समय वही हैं।",
        "moved_both": "अब यह होगा: {when_now}, {where_now}।",
        "moved_other": "बदली हुई जानकारी नीचे देखें।",
        "moved_events": "अब इस प्रकार है",
        "restored_subject": "अब होगा: {title}",
        "restored_heading": "एक कार्यक्रम अब होगा",
        "restored_text": "हमने आपको बताया था कि “{title}” ({when}) रद्द हो गया है। यह अब होगा: कब और कहाँ, नीचे देखें।",
        "restored_some_text": (
            "“{title}” होगा। कुछ लोगों को हमने बताया था कि यह रद्द हो गया है, और कुछ को दूसरा दिन या स्थान। कब और कहाँ, नीचे देखें।"
        ),
        "archive": "पिछले अंक",
        "archive_of": "{name} के अंक",
        "all_issues": "सभी अंक",
        "newer": "नया",
        "older": "पुराना",
        "join": "ईमेल से पाएँ",
        "feed": "फ़ीड (RSS)",
        "no_issues": "अभी कोई अंक नहीं है।",
        "picture_withdrawn": "एक चित्र जो अब नहीं दिखाया जाता",
    },
    "ar": {
        "events": "فعاليات",
        "cancelled_subject": "أُلغيت: {title}",
        "cancelled_heading": "أُلغيت فعالية",
        "cancelled_text": "أخبرناك عن «{title}» ({when}). لن تُقام. نعتذر عن تأخر الخبر.",
        "moved_subject": "تغيير: {title}",
        "moved_heading": "تغيّرت فعالية",
        "moved_text": "أخبرناك عن «{title}» ({when}). {change}",
        "moved_time": "الموعد الجديد: {when_now}. المكان لم يتغيّر.",
        "moved_place": "المكان الجديد: {where_now}. اليوم والساعة لم يتغيّرا.",
        "moved_both": "ستُقام الآن: {when_now}، {where_now}.",
        "moved_other": "انظر أدناه ما تغيّر.",
        "moved_events": "كما هي الآن",
        "restored_subject": "ستُقام بالفعل: {title}",
        "restored_heading": "فعالية ستُقام بالفعل",
        "restored_text": "أخبرناك أن «{title}» ({when}) أُلغيت. لكنها ستُقام: انظر الموعد والمكان أدناه.",
        "restored_some_text": (
            "ستُقام «{title}». أخبرنا بعضكم أنها أُلغيت، وآخرين بيوم أو مكان آخر. انظر الموعد والمكان أدناه."
        ),
        "archive": "أعداد سابقة",
        "archive_of": "أعداد {name}",
        "all_issues": "كل الأعداد",
        "newer": "الأحدث",
        "older": "الأقدم",
        "join": "احصل عليه بالبريد",
        "feed": "موجز (RSS)",
        "no_issues": "لا يوجد أي عدد بعد.",
        "picture_withdrawn": "صورة لم تعد تُعرض",
    },
    "uk": {
        "events": "Події",
        "cancelled_subject": "Скасовано: {title}",
        "cancelled_heading": "Подію скасовано",
        "cancelled_text": "Ми повідомляли вам про «{title}» ({when}). Вона не відбудеться. Вибачте, що пишемо так пізно.",
        "moved_subject": "Зміни: {title}",
        "moved_heading": "Подію змінено",
        "moved_text": "Ми повідомляли вам про «{title}» ({when}). {change}",
        "moved_time": "Новий час: {when_now}. Місце те саме.",
        "moved_place": "Нове місце: {where_now}. День і час ті самі.",
        "moved_both": "Тепер подія відбудеться: {when_now}, {where_now}.",
        "moved_other": "Що змінилося, дивіться нижче.",
        "moved_events": "Як є тепер",
        "restored_subject": "Усе ж відбудеться: {title}",
        "restored_heading": "Подія все ж відбудеться",
        "restored_text": (
            "Ми повідомляли вам, що «{title}» ({when}) скасовано. Подія все ж відбудеться: коли й де, дивіться нижче."
        ),
        "restored_some_text": (
            "«{title}» відбудеться. Декому з вас ми писали, що подію скасовано, а іншим називали інший день або місце. "
            "Коли й де вона відбудеться, дивіться нижче."
        ),
        "archive": "Попередні випуски",
        "archive_of": "Випуски {name}",
        "all_issues": "Усі випуски",
        "newer": "Новіший",
        "older": "Старіший",
        "join": "Отримувати електронною поштою",
        "feed": "Стрічка (RSS)",
        "no_issues": "Випусків поки немає.",
        "picture_withdrawn": "Зображення, яке більше не показують",
    },
}


READER_TEXTS: Mapping[str, Mapping[str, str]] = collect_texts(_OWN, "reader_texts")


def reader_text(key: str, language: str, **values: str) -> str:
    """Return a text with ``values`` filled in. Raises KeyError for an unknown key."""
    text = READER_TEXTS.get(base_language(language), {}).get(key) or READER_TEXTS["en"][key]
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
