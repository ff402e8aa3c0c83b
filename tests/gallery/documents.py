"""The mails of the gallery: each layout in three looks, a letter in each other look and in other scripts, and odd ones."""

from dataclasses import replace
from functools import cache

from newsletter.content.images.encode import encode_image
from newsletter.content.images.formats import RENDITION_FORMATS
from newsletter.content.images.sandbox_messages import EncodedImage
from newsletter.content.images.write import make_placeholder
from newsletter.demo.site_pages import SITE_FILES
from newsletter.organisation.starter_brands import load_starters
from newsletter.rendering.blocks import Brand, Button, Divider, Document, Events, Note, Picture, StoryCards, StoryItem
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.languages import letter_in
from tests.gallery.odd_mails import odd_documents
from tests.support.sample_mails import PictureFinder, every_schema_block, sample_document, usual_letter

MEDIA = "https://news.harbour.example/m"
ICONS = "https://news.harbour.example/m/icons"
FLAT_COLOUR = "#ece7de"
LANGUAGES = ("ar", "hi", "de")
LOOKS_WITH_EVERY_LAYOUT = ("harbour", "lantern", "meadow")


def documents(*, picture: PictureFinder) -> dict[str, Document]:
    """Return all mails of the gallery, by names such as ``letter-meadow``."""
    found = {
        f"{layout}-{slug}": sample_document(layout=layout, brand=brand_of(slug), picture=picture)
        for slug in load_starters()
        for layout in (LAYOUTS if slug in LOOKS_WITH_EVERY_LAYOUT else ("letter",))
    }
    plain = replace(brand_of("harbour"), logo=None, logo_dark=None)
    found |= {f"letter-{language}": letter_in(language, brand=plain, picture=picture) for language in LANGUAGES}
    odd = odd_documents(brand=brand_of("harbour"), picture=picture)
    found |= {f"odd-{name}": document for name, document in odd.items()}
    drawings = (Divider(look="dots"), Divider(look="bars"))
    found["letter-blocks"] = replace(
        sample_document(layout="letter", brand=brand_of("harbour"), picture=picture),
        blocks=(*every_schema_block(picture), *drawings),
    )
    found["letter-usual"] = usual_letter(brand=brand_of("harbour"), picture=picture)
    return found | {"letter-bare": bare_letter(), "notice-meadow": notice(brand_of("meadow"))}


@cache
def gallery_mails() -> dict[str, tuple[Document, RenderedMail]]:
    """Return the mails of the gallery as a test process rendered them once, each with its document. Change none."""
    return {name: (document, render(document)) for name, document in documents(picture=flat_picture).items()}


def bare_letter() -> Document:
    """Return the smallest issue: no logo, picture, brand links or events, and one story without a teaser."""
    brand = Brand(name="Harbour Justice", postal_address="Harbour Justice, 1 Example Quay, London ZZ1 1ZZ")
    return Document(
        subject="The court that arrives by boat",
        preheader="One story this week, and an invitation to bring people together",
        language="en",
        brand=brand,
        blocks=(
            StoryCards((StoryItem("The court that arrives by boat", "https://harbour.example/stories/boat/"),)),
            Events((), kind="host", host_url="https://harbour.example/host/"),
        ),
        publication="The Weekly Letter",
        reason="You get this because you signed up for The Weekly Letter from Harbour Justice.",
    )


def notice(brand: Brand) -> Document:
    """Return a system mail, such as a confirmation request."""
    words = "Somebody, we think you, asked Harbour Justice to send The Weekly Letter to this address."
    return Document(
        subject="Please confirm: The Weekly Letter",
        preheader=words,
        language="en",
        brand=replace(brand, logo=None, logo_dark=None, social=()),
        blocks=(
            Note(body_html=f"<p>{words}</p><p>The link is good for seven days.</p>", body_text=words),
            Button("Yes, send it to me", "https://news.harbour.example/confirm/x"),
        ),
        publication=brand.name,
        reason="You get this because somebody gave this address to Harbour Justice.",
        personal=False,
    )


def brand_of(slug: str) -> Brand:
    """Return a finished brand with the sample organisation's name, address and links; the first has its logos."""
    look = load_starters()[slug].look()
    logos = {}
    if slug == "harbour":
        logos = {
            "logo": Picture(f"{MEDIA}/logo.png", 448, 140, "Harbour Justice"),
            "logo_dark": Picture(f"{MEDIA}/logo-dark.png", 440, 132, "Harbour Justice"),
        }
    if slug == "meadow":
        logos = {"logo_dark": Picture(f"{MEDIA}/logo-dark.png", 440, 132, "Harbour Justice")}
    networks = ("facebook", "instagram", "linkedin", "youtube", "bluesky")
    return Brand(
        name="Harbour Justice",
        postal_address="Harbour Justice, The Old Rope Works, 1 Example Quay, London ZZ1 1ZZ, United Kingdom",
        website="https://harbour.example/",
        donate_url="https://harbour.example/give/",
        donor_portal_url="https://harbour.example/donors/",
        social=tuple((network, f"https://social.example/{network}") for network in networks),
        icons_url=ICONS,
        **logos,  # type: ignore[arg-type]
        **look,  # type: ignore[arg-type]
    )


def flat_picture(name: str, place: str) -> Picture | None:
    """Return a picture that is quick to draw, in the shape of its placement."""
    width = RENDITION_FORMATS[place].width
    height = round(width / (RENDITION_FORMATS[place].ratio or 16 / 9))
    return Picture(f"{MEDIA}/flat-{width}x{height}.jpg", width, height, f"Illustration: {name}", colour=FLAT_COLOUR)


def painted_picture(name: str, place: str) -> Picture | None:
    """Return a picture of the sample organisation, as large as its placement needs."""
    made = make_picture(f"{name}-{place}.jpg")
    size = (made.width, made.height)
    return Picture(
        f"{MEDIA}/{name}-{place}.jpg", *size, f"Illustration: {name}", weight=len(made.data), colour=made.colour
    )


@cache
def make_picture(file: str) -> EncodedImage:
    """Return what our own address answers for a file of the gallery."""
    if file in {"logo.png", "logo-dark.png"}:
        return encode_image((SITE_FILES / file).read_bytes(), rendition_format=RENDITION_FORMATS["logo"])
    name, place = file.removesuffix(".jpg").rsplit("-", 1)
    if name == "flat":
        width, height = place.split("x")
        return make_placeholder(width=int(width), height=int(height))
    original = (SITE_FILES / "pictures" / f"{name}.jpg").read_bytes()
    return encode_image(original, rendition_format=RENDITION_FORMATS[place], is_video=name == "doorway")
