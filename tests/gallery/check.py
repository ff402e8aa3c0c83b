"""``make email-check``: check every layout in every brand, also with the external validators that are installed.

Chromium and axe: light and dark, phone and desk, and other fonts than the first. LibreOffice: what classic Outlook reads
has all words, in order and apart. The Nu validator (Java) and html-validate (Node) on the mail and, the
first of them, on what classic Outlook sees of it. SpamAssassin on the whole message. Weight and size of the largest issue.
Ends with 1 where something is at fault, and with 2 where a judge is missing, so that nothing passes unseen.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from newsletter.providers.base.contract import Mail, Recipient
from newsletter.providers.base.mail.mime import build_message
from newsletter.rendering.blocks import Document, Events, StoryCards
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.lint.document import MAX_TOTAL_PICTURE_BYTES
from newsletter.rendering.lint.tag_balance import view_for_outlook
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.browser_checks import find_axe_violations, find_page_problems, find_reading_problems
from tests.gallery.documents import MEDIA, documents, painted_picture
from tests.gallery.email_support import check_support, find_features
from tests.gallery.fonts import FONTS, require_emoji_font, without_fonts
from tests.gallery.line_lengths import DESKTOP_WIDTH, find_long_or_short_lines, measure_lines
from tests.gallery.outlook_view import draw_pages, find_drawing_problems
from tests.gallery.prose import letter_of_prose
from tests.gallery.readings import READINGS, Reading
from tests.gallery.run import fill_sample
from tests.gallery.screenshots import CHROMIUM, SCHEMES, WIDTHS, open_browser, open_mail, open_reading
from tests.gallery.validators import (
    Unavailable,
    find_html_validate,
    find_vnu,
    score_spam,
    validate_with_html_validate,
    validate_with_vnu,
)

MAX_LETTER_BYTES = 80_000
MAX_SPAM_SCORE = 1.0
LONG = ("odd-many-events", "size", "warning")
"""The one mail that is nearly too large: staff are warned, and mail programs show all of it."""
BLACK = ("odd-black-on-black", "letter-descant")
"""The mails whose brand wants a dark page, by day too."""
OUTLOOK_ONLY = re.compile(
    r"mso-|supported-color-schemes|xmlns:[vo]|“vertical-align” not allowed|Attribute “(background|bgcolor)”|“[vo]:"
)
OFFICE_SETTINGS = re.compile(r"<noscript>\s*<xml>.*?</noscript>", re.DOTALL)
HTML_VALIDATE = {
    "root": True,
    "extends": ["html-validate:recommended", "html-validate:a11y"],
    "rules": dict.fromkeys(
        (
            "no-inline-style", "no-deprecated-attr", "no-conditional-comment", "prefer-tbody", "doctype-style",
            "void-style", "attr-quotes", "no-trailing-whitespace", "long-title", "no-raw-characters",
            "prefer-native-element",
            "no-redundant-role",  # Safari forgets that a list without marks is one, unless its role says so
        ),
        "off",
    ),
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("var/email-check"))
    parser.add_argument("--allow-missing", action="store_true", help="Pass although a judge is not installed.")
    options = parser.parse_args()
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    mails = {name: (document, render(document)) for name, document in documents(picture=painted_picture).items()}
    files = {name: _write(out, name, mail) for name, (_, mail) in mails.items()}
    missing: list[str] = []
    faults = [
        *check_ourselves(mails),
        *check_size(mails["letter-harbour"][0]),
        *check_mail_programs(mails),
        *ask("fonts", check_fonts(), missing=missing),
        *ask("Chromium and axe", check_in_browser(mails), missing=missing),
        *ask("Chromium in other fonts", check_other_fonts(mails), missing=missing),
        *ask("Chromium", check_readings(mails), missing=missing),
        *ask("LibreOffice", check_outlook_view(out, mails), missing=missing),
        *ask("the Nu validator", check_with_vnu(out, files), missing=missing),
        *ask("html-validate", check_with_html_validate(out, files), missing=missing),
        *ask("SpamAssassin", check_spam(out, mails), missing=missing),
    ]
    for fault in faults:
        _say(f"FAULT  {fault}")
    for judge in missing:
        _say(f"NOT CHECKED  {judge}")
    _say(f"{len(mails)} mails, {len(faults)} faults, {len(missing)} judges missing.")
    return 1 if faults else 2 if missing and not options.allow_missing else 0


def check_ourselves(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Return what our own lint finds, and pictures that are too large."""
    for name, (document, mail) in mails.items():
        for finding in lint_mail(mail, document=document):
            is_expected = finding.code == "preheader-length" or (name, finding.code, finding.level) == LONG
            if not is_expected and document.personal:
                yield f"{name}: {finding.message}"
    _say(
        f"our own checks: {len(mails)} mails looked at; pictures at most {MAX_TOTAL_PICTURE_BYTES // 1024} kB each mail"
    )


def check_size(letter: Document) -> Iterator[str]:
    """Return what is wrong with the size of the largest issue that staff may send. Each picture has another colour."""
    cards = next(block for block in letter.blocks if isinstance(block, StoryCards))
    stories = tuple(
        replace(
            story, picture=replace(story.picture, url=f"{MEDIA}/{number:022}.jpg", colour=f"#{number:x}{number:x}7f9a")
        )
        for number, story in enumerate((cards.stories * 5)[:13])
        if story.picture
    )
    events = next(block for block in letter.blocks if isinstance(block, Events))
    large = replace(
        letter,
        blocks=(
            *(block for block in letter.blocks if not isinstance(block, StoryCards | Events)),
            replace(cards, stories=stories),
            replace(events, events=(events.events * 4)[:12]),
        ),
    )
    html = render(large).html
    size = len(html.encode())
    _say(f"14 stories and 12 events: {size:,} bytes of HTML")
    if size > MAX_LETTER_BYTES or 'class="brief' in html:
        yield f"14 stories and 12 events make {size:,} bytes of HTML, more than {MAX_LETTER_BYTES:,}, or are shortened"


def check_mail_programs(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Return the features of HTML and CSS that too few mail programs show, and that have no fallback."""
    features = {feature for _, mail in mails.values() for feature in find_features(mail.html)}
    _say(f"Can I email: {len(features)} features looked at")
    yield from check_support(features)


def check_in_browser(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    if not Path(CHROMIUM).exists():
        raise Unavailable("it is not installed (Debian: apt install chromium)")
    looked = 0
    with open_browser() as browser:
        for name, (_, mail) in mails.items():
            for scheme in SCHEMES:
                for width in WIDTHS:
                    with open_mail(browser, fill_sample(mail.html), width=width, scheme=scheme) as (page, seen):
                        faults = [
                            *find_page_problems(page, seen, width=width, scheme=scheme, page_colour=name not in BLACK),
                            *find_axe_violations(page),
                        ]
                    looked += 1
                    yield from (f"{name} {scheme} {width}: {fault}" for fault in faults)
    _say(f"Chromium and axe: {looked} pages looked at")


def check_fonts() -> Iterator[str]:
    """Find no fault, but note that the judges of pictures look at boxes if no font has emoji."""
    require_emoji_font()
    _say("fonts: emoji are drawn")
    yield from ()


def check_other_fonts(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Return what overflows, and running text of too many or too few characters a line, where the first fonts are missing."""
    if not Path(CHROMIUM).exists():
        raise Unavailable("it is not installed (Debian: apt install chromium)")
    with open_browser() as browser:
        for name, (_, mail) in mails.items():
            for width in FONTS:
                html = without_fonts(fill_sample(mail.html), width=width)
                with open_mail(browser, html, width=375, scheme="light") as (page, _):
                    faults = list(find_reading_problems(page, Reading(width=375)))
                yield from (f"{name} in {width} fonts: {fault}" for fault in faults)
        for layout in LAYOUTS:
            prose = render(letter_of_prose(mails[f"{layout}-harbour"][0])).html
            for width in FONTS:
                with open_mail(browser, without_fonts(prose, width=width), width=DESKTOP_WIDTH, scheme="light") as (
                    page,
                    _,
                ):
                    faults = list(find_long_or_short_lines(measure_lines(page)))
                yield from (f"{layout} of running text in {width} fonts: {fault}" for fault in faults)
    _say(f"Chromium: {len(FONTS)} widths of fonts looked at in each mail")


def check_readings(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Return what goes wrong where mail programs and readers change a mail."""
    if not Path(CHROMIUM).exists():
        raise Unavailable("it is not installed (Debian: apt install chromium)")
    with open_browser() as browser:
        for name, (_, mail) in mails.items():
            for way, reading in READINGS.items():
                with open_reading(browser, fill_sample(mail.html), reading=reading) as page:
                    yield from (f"{name} {way}: {fault}" for fault in find_reading_problems(page, reading))
    _say(f"Chromium: {len(READINGS)} ways of reading each mail looked at")


def check_outlook_view(out: Path, mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Return what is lost, out of order or over each other in what classic Outlook reads, as LibreOffice draws it."""
    written = {name: fill_sample(mail.html) for name, (_, mail) in mails.items()}
    drawn = draw_pages(written, out=out)
    for name, pdf in drawn.items():
        yield from (f"{name}: {fault}" for fault in find_drawing_problems(pdf, written[name]))
    _say(f"LibreOffice: {len(drawn)} mails drawn as classic Outlook reads them")


def check_with_vnu(out: Path, files: dict[str, Path]) -> Iterator[str]:
    """Return the mail as all programs and as classic Outlook see it."""
    jar = find_vnu(out / "tools")
    views = {name: path.with_suffix(".outlook.html") for name, path in files.items()}
    for name, path in files.items():
        seen = view_for_outlook(path.read_text(encoding="utf-8"))
        views[name].write_text(OFFICE_SETTINGS.sub("", seen), encoding="utf-8")
    every = [*files.values(), *views.values()]
    for message in validate_with_vnu(jar, every):
        if not OUTLOOK_ONLY.search(message["message"]):
            yield f"vnu: {Path(message['url']).name}:{message.get('lastLine', 0)}: {message['message']}"
    _say(f"vnu: {len(every)} files looked at")


def check_with_html_validate(out: Path, files: dict[str, Path]) -> Iterator[str]:
    command, config = find_html_validate(out / "tools"), out / "html-validate.json"
    config.write_text(json.dumps(HTML_VALIDATE))
    for name, path in files.items():
        for one in validate_with_html_validate(command, path, config=config, out=out):
            yield f"html-validate: {name}:{one['line']}: {one['message']}"
    _say(f"html-validate: {len(files)} files looked at")


def check_spam(out: Path, mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Check every message, as it would be sent, with the local rules of SpamAssassin."""
    worst = -99.0
    for name, (_, mail) in mails.items():
        message = out / f"{name}.eml"
        message.write_bytes(_message(mail))
        score, tests = score_spam(message)
        worst = max(worst, score)
        if score >= MAX_SPAM_SCORE:
            yield f"{name}: SpamAssassin scores {score}: {tests}"
    _say(f"SpamAssassin: {len(mails)} messages looked at, the worst scores {worst}")


def ask(judge: str, faults: Iterator[str], *, missing: list[str]) -> Iterator[str]:
    """Return the problems that a validator finds, or note that it is unavailable."""
    try:
        yield from faults
    except Unavailable as error:
        missing.append(f"{judge}: {error}.")


def _message(mail: RenderedMail) -> bytes:
    sent = Mail(
        subject=fill_sample(mail.subject),
        html=fill_sample(mail.html),
        text=fill_sample(mail.text),
        from_name="Harbour Justice",
        from_email="letter@news.harbour.example",
        reply_to="hello@harbour.example",
        headers={
            "List-Id": "<letter.news.harbour.example>",
            "List-Unsubscribe": "<https://news.harbour.example/u/x>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    person = Recipient(delivery=1, address="amina@reader.example", variables={})
    built = build_message(mail=sent, recipient=person, date=datetime.now(UTC), message_id="check@news.harbour.example")
    return built.as_bytes()


def _write(out: Path, name: str, mail: RenderedMail) -> Path:
    path = out / f"{name}.html"
    path.write_text(fill_sample(mail.html), encoding="utf-8")
    return path


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
