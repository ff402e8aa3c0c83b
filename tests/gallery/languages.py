"""A short letter in Arabic, Hindi and German: another direction, another script, and long words."""

from datetime import date

from babel.dates import format_date
from babel.units import format_unit

from newsletter.rendering.blocks import (
    AppealBlock,
    Brand,
    Document,
    EventItem,
    Events,
    LeadStory,
    Note,
    Quote,
    Related,
    StoryCards,
    StoryItem,
)
from newsletter.rendering.phrases import find_phrase, find_text_direction, format_day
from tests.support.sample_mails import SITE, PictureFinder

DAY = date(2026, 12, 3)
"""The day of the event."""
STORY_DAY = date(2026, 11, 24)
TEXTS = {
    "ar": {
        "name": "الرسالة الأسبوعية",
        "lead": "قاطفات الشاي يتسلمن أجور ثلاثة مواسم",
        "teaser": "حين أغلقت المزرعة دفاترها احتفظت أمارا بدفترها، فصار دليلًا ساعد عائلات كثيرة على نيل حقها.",
        "greeting": "أصدقاءنا الأعزاء، هذه أخبار الأسبوع من الميدان.",
        "cards": ("المحكمة التي تصل بالقارب", "«اسألونا أولًا»"),
        "topic": "أجور عادلة",
        "hours": "6:30 م (لندن)",
        "event": "أمسية حكايات من الميدان",
        "where": "المكتبة المركزية",
        "quote": "كتبته لأنه كان صحيحًا.",
        "appeal": "قف إلى جانب عائلة واحدة",
        "button": "تبرع شهريًا",
    },
    "hi": {
        "name": "साप्ताहिक पत्र",
        "lead": "चाय बागान की मज़दूरों को तीन मौसमों की मज़दूरी मिली",
        "teaser": "जब बागान ने अपने बहीखाते बंद किए, अमारा ने अपनी कॉपी सँभालकर रखी। वही कॉपी सबूत बनी।",
        "greeting": "प्रिय मित्रो, इस सप्ताह के समाचार प्रस्तुत हैं।",
        "cards": ("नाव से आने वाली अदालत", "“पहले हमसे पूछिए”"),
        "topic": "उचित मज़दूरी",
        "hours": "6:30 pm (लंदन)",
        "event": "मैदान से कहानियों की एक शाम",
        "where": "केंद्रीय पुस्तकालय",
        "quote": "मैंने इसे लिखा क्योंकि यह सच था।",
        "appeal": "एक परिवार के साथ खड़े हों",
        "button": "हर महीने दान करें",
    },
    "de": {
        "name": "Der Wochenbrief",
        "lead": "Rechtsschutzversicherungsgesellschaften stellen Landarbeitergewerkschaftsmitglieder gleich",
        "teaser": "Die Grundstücksverkehrsgenehmigungszuständigkeitsübertragung liegt seit Montag beim Gericht vor Ort.",
        "greeting": "Liebe Freundinnen und Freunde, das ist unsere Woche.",
        "cards": ("Das Gericht, das mit dem Boot kommt", "Arbeitnehmerüberlassungsrechtsprechung einfach erklärt"),
        "topic": "Gerechte Löhne",
        "hours": "18:30 (London)",
        "event": "Ein Abend mit Geschichten aus der Arbeit",
        "where": "Zentralbibliothek",
        "quote": "Ich habe es aufgeschrieben, weil es wahr war.",
        "appeal": "Begleiten Sie eine Familie",
        "button": "Monatlich spenden",
    },
}


def letter_in(language: str, *, brand: Brand, picture: PictureFinder) -> Document:
    """Return the letter in one of ``TEXTS``."""
    text = TEXTS[language]
    url = f"{SITE}/{language}/"
    day = format_day(DAY, locale=language, year=DAY.year, with_weekday=True)
    comma = "، " if language == "ar" else ", "
    event = EventItem(
        str(text["event"]),
        url,
        f"{day}{comma}{text['hours']}",
        str(DAY.day),
        format_date(DAY, format="MMM", locale=language),
        where=str(text["where"]),
        distance=find_phrase(
            "distance_within", language, distance=format_unit(15, "kilometer", "short", locale=language)
        ),
        weekday=format_date(DAY, format="EEE", locale=language),
        hours=str(text["hours"]),
        calendar_url=f"{url}evening.ics",
    )
    cards = tuple(
        StoryItem(title, url, teaser=str(text["teaser"]), picture=picture(name, "card"))
        for title, name in zip(text["cards"], ("harbour", "lanterns"), strict=True)
    )
    lead = StoryItem(
        str(text["lead"]),
        url,
        teaser=str(text["teaser"]),
        picture=picture("terraces", "wide"),
        topic=str(text["topic"]),
        date=format_day(STORY_DAY, locale=language, year=DAY.year),
    )
    return Document(
        subject=str(text["lead"]),
        preheader=str(text["teaser"]),
        language=language,
        direction=find_text_direction(language),
        brand=brand,
        blocks=(
            Note(body_html=f"<p>{text['greeting']}</p>", body_text=str(text["greeting"])),
            LeadStory(lead),
            StoryCards(cards),
            Quote(str(text["quote"]), "Amara*"),
            Events((event,)),
            AppealBlock(str(text["appeal"]), str(text["teaser"]), url, str(text["button"])),
            Related(tuple((title, url) for title in text["cards"])),
        ),
        publication=str(text["name"]),
        reason=find_phrase("why_you_get_this", language, list=str(text["name"]), organisation=brand.name),
        urls={"view_online": url},
    )
