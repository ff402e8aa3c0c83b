"""One issue of a fictional organisation in eight languages, as its readers in each of them get it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    Block,
    EventsBlock,
    LeadStoryBlock,
    NoteBlock,
    QuoteBlock,
    StoriesBlock,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import ConsentRecord, StoryRecord
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.choose_visible import ReaderTraits, VisibilityChooser
from newsletter.issues.visible.nearby_events import RecipientLocation
from newsletter.rendering.blocks import Document
from tests.support.content import make_content, make_event_record

SITE = "https://harbour.example"
LEEDS = RecipientLocation(country="GB", region="GB-ENG", town="Leeds", latitude=53.8, longitude=-1.5)
_NO_CONSENT_NEEDED = ConsentRecord(
    needed=False, channels=(), identity="", given_by="", given_on=None, expires_on=None, form_holder=False, minor=False,
    embargo_until=None, withdrawn=False,
)  # fmt: skip


class Texts(NamedTuple):
    greeting: str
    lead: str
    teaser: str
    second: str
    topic: str
    alt: str
    event: str
    appeal: str
    button: str
    quote: str


TEXTS = {
    "en": Texts(
        "Dear friends, this was our week.", "Tea pickers receive three seasons of wages",
        "When the estate closed its books, Amara kept her own.", "The court that arrives by boat", "Fair wages",
        "Fields at dawn", "An evening of stories", "Stand beside one family", "Give monthly",
        "I wrote it down because it was true.",
    ),
    "es": Texts(
        "Queridas amigas y amigos: así fue nuestra semana.", "Las recolectoras de té reciben el salario de tres temporadas",
        "Cuando la finca cerró sus libros, Amara conservó el suyo.", "El tribunal que llega en barco", "Salarios justos",
        "Campos al amanecer", "Una tarde de historias", "Acompaña a una familia", "Dona cada mes",
        "Lo escribí porque era verdad.",
    ),
    "fr": Texts(
        "Chères amies, chers amis, voici notre semaine.", "Les cueilleuses de thé reçoivent trois saisons de salaire",
        "Quand le domaine a fermé ses livres, Amara a gardé le sien.", "Le tribunal qui arrive en bateau",
        "Salaires justes", "Des champs à l’aube", "Une soirée de récits", "Soutenez une famille",
        "Donner chaque mois", "Je l’ai écrit parce que c’était vrai.",
    ),
    "de": Texts(
        "Liebe Freundinnen und Freunde, das war unsere Woche.", "Teepflückerinnen erhalten den Lohn von drei Ernten",
        "Als das Gut seine Bücher schloss, behielt Amara ihr eigenes.", "Das Gericht, das mit dem Boot kommt",
        "Gerechte Löhne", "Felder in der Dämmerung", "Ein Abend mit Geschichten", "Begleiten Sie eine Familie",
        "Monatlich spenden", "Ich habe es aufgeschrieben, weil es wahr war.",
    ),
    "pt": Texts(
        "Caras amigas e amigos, esta foi a nossa semana.", "Apanhadoras de chá recebem três épocas de salário",
        "Quando a quinta fechou os livros, a Amara guardou o seu.", "O tribunal que chega de barco", "Salários justos",
        "Campos ao amanhecer", "Uma noite de histórias", "Fique ao lado de uma família", "Doar todos os meses",
        "Escrevi porque era verdade.",
    ),
    "ro": Texts(
        "Dragi prieteni, aceasta a fost săptămâna noastră.", "Culegătoarele de ceai primesc salariul pe trei sezoane",
        "Când plantația și-a închis registrele, Amara l-a păstrat pe al ei.", "Tribunalul care vine cu barca",
        "Salarii drepte", "Câmpuri în zori", "O seară de povești", "Fii alături de o familie", "Donează lunar",
        "Am scris totul pentru că era adevărat.",
    ),
    "ar": Texts(
        "أصدقاءنا الأعزاء، هكذا كان أسبوعنا.", "قاطفات الشاي يتسلمن أجور ثلاثة مواسم",
        "حين أغلقت المزرعة دفاترها، احتفظت أمارا بدفترها.", "المحكمة التي تصل بالقارب", "أجور عادلة",
        "حقول عند الفجر", "أمسية حكايات", "قف إلى جانب عائلة واحدة", "تبرع شهريًا", "كتبته لأنه كان صحيحًا.",
    ),
    "hi": Texts(
        "प्रिय मित्रो, हमारा सप्ताह ऐसा रहा।", "चाय बागान की मज़दूरों को तीन मौसमों की मज़दूरी मिली",
        "जब बागान ने अपने बहीखाते बंद किए, अमारा ने अपनी कॉपी सँभालकर रखी।", "नाव से आने वाली अदालत", "उचित मज़दूरी",
        "भोर में खेत", "कहानियों की एक शाम", "एक परिवार के साथ खड़े हों", "हर महीने दान करें",
        "मैंने इसे लिखा क्योंकि यह सच था।",
    ),
    "uk": Texts(
        "Дорогі друзі, таким був наш тиждень.", "Збирачки чаю отримали платню за три сезони",
        "Коли маєток закрив свої книги, Амара зберегла власну.", "Суд, що прибуває човном", "Гідна платня",
        "Поля на світанку", "Вечір історій", "Підтримайте одну родину", "Допомагати щомісяця",
        "Я записала це, бо це була правда.",
    ),
}  # fmt: skip


def make_multilingual_content() -> IssueContent:
    """Return the issue in English, with a version in each of the other languages."""
    content = _make_version("en")
    versions = tuple(replace(_make_version(code), translated_from="en") for code in TEXTS if code != "en")
    return replace(content, versions=versions)


def make_language_mail(language: str) -> Document:
    """Return the mail of a reader in Leeds who reads this language."""
    content = make_multilingual_content()
    visible = VisibilityChooser(content.in_language(language)).choose(ReaderTraits(location=LEEDS, giving="none"))
    return make_document(content, visible=visible, view_online=f"{SITE}/view/abc")


def _make_version(language: str) -> IssueContent:
    texts = TEXTS[language]
    evening = make_event_record(
        title=texts.event, url=f"{SITE}/events/1/", starts_at=datetime(2026, 12, 3, 18, 30, tzinfo=UTC)
    )
    blocks: tuple[Block, ...] = (
        NoteBlock("note", "", f"<p>{texts.greeting}</p>"),
        LeadStoryBlock("lead", _make_story(1, texts.lead, texts)),
        StoriesBlock("more", "", (_make_story(2, texts.second, texts),)),
        QuoteBlock("quote", texts.quote, "Amara", ()),
        EventsBlock("events", "", (evening,)),
        AppealsBlock("appeal", (AppealRecord(1, texts.appeal, texts.teaser, f"{SITE}/give/", texts.button, "all"),)),
    )
    content = make_content(*blocks)
    publication = replace(content.publication, language=language, name="Harbour", list_name="Harbour")
    return replace(content, subject=texts.lead, preheader=f"{texts.second} · {texts.teaser}", publication=publication)


def _make_story(number: int, title: str, texts: Texts) -> StoryRecord:
    picture = PictureRecord(f"{SITE}/media/{number}.jpg", 1200, 800, texts.alt, 80_000)
    return StoryRecord(
        id=number, title=title, own_title=title, url=f"{SITE}/stories/{number}/", teaser=texts.teaser, picture=picture,
        topic=texts.topic, date=date(2026, 11, 24), notes=(), excluded_regions=(), consent=_NO_CONSENT_NEEDED,
    )  # fmt: skip
