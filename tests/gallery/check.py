"""``make email-check``: every layout in every brand against the whole bar, and the judges that are installed.

Chromium and axe: light and dark, phone and desk. The Nu validator (Java) and html-validate (Node) on the mail and, the
first of them, on what classic Outlook sees of it. SpamAssassin on the whole message. Weight and size of the largest issue.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from newsletter.providers.contract import Mail, Person
from newsletter.providers.message import build_message
from newsletter.rendering import RenderedMail, check, render
from newsletter.rendering.blocks import Document, Events, StoryCards
from newsletter.rendering.lint_balance import view_for_outlook
from newsletter.rendering.lint_document import MOST_PICTURE_BYTES
from tests.gallery.bar import find_axe_faults, find_faults
from tests.gallery.documents import documents, painted_picture
from tests.gallery.run import fill_sample
from tests.gallery.shoot import SCHEMES, WIDTHS, open_browser, open_mail

LARGEST = 90_000
MOST_SPAM = 1.0
PACKAGES = ("vnu-jar@26", "html-validate@10")
OF_OUTLOOK = re.compile(
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
        ),
        "off",
    ),
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("var/email-check"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    mails = {name: (document, render(document)) for name, document in documents(picture=painted_picture).items()}
    files = {name: _write(out, name, mail) for name, (_, mail) in mails.items()}
    faults = [
        *check_ourselves(mails),
        *check_size(mails["letter-harbour"][0]),
        *check_in_browser(mails),
        *check_with_validators(out, files),
        *check_spam(out, mails),
    ]
    for fault in faults:
        _say(f"FAULT  {fault}")
    _say(f"{len(mails)} mails, {len(faults)} faults.")
    return 1 if faults else 0


def check_ourselves(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    """Our own checks find nothing, and the pictures are within their weight."""
    for name, (document, mail) in mails.items():
        for finding in check(mail, document=document):
            if finding.code != "preheader-length":
                yield f"{name}: {finding.message}"
    _say(f"our own checks: {len(mails)} mails looked at; pictures at most {MOST_PICTURE_BYTES // 1024} kB each mail")


def check_size(letter: Document) -> Iterator[str]:
    """The largest issue that staff may send."""
    cards = next(block for block in letter.blocks if isinstance(block, StoryCards))
    events = next(block for block in letter.blocks if isinstance(block, Events))
    large = replace(
        letter,
        blocks=(
            *(block for block in letter.blocks if not isinstance(block, StoryCards | Events)),
            replace(cards, stories=(cards.stories * 5)[:13]),
            replace(events, events=(events.events * 4)[:12]),
        ),
    )
    html = render(large).html
    size = len(html.encode())
    _say(f"14 stories and 12 events: {size:,} bytes of HTML")
    if size > LARGEST or 'class="brief' in html:
        yield f"14 stories and 12 events make {size:,} bytes of HTML, more than {LARGEST:,}, or are shortened"


def check_in_browser(mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    looked = 0
    with open_browser() as browser:
        for name, (_, mail) in mails.items():
            for scheme in SCHEMES:
                for width in WIDTHS:
                    with open_mail(browser, fill_sample(mail.html), width=width, scheme=scheme) as (page, seen):
                        faults = [*find_faults(page, seen, width=width, scheme=scheme), *find_axe_faults(page)]
                    looked += 1
                    yield from (f"{name} {scheme} {width}: {fault}" for fault in faults)
    _say(f"Chromium and axe: {looked} pages looked at")


def check_with_validators(out: Path, files: dict[str, Path]) -> Iterator[str]:
    """Needs Node and Java; the validators themselves are fetched once into the folder of this check."""
    if not shutil.which("npm") or not shutil.which("java"):
        _say("skipped: the Nu validator and html-validate, because npm or java is not installed")
        return
    tools = (out / "tools").resolve()
    if not (tools / "node_modules" / "vnu-jar").is_dir():
        tools.mkdir(exist_ok=True)
        _run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(tools), *PACKAGES])
    views = {name: path.with_suffix(".outlook.html") for name, path in files.items()}
    for name, path in files.items():
        seen = view_for_outlook(path.read_text(encoding="utf-8"))
        views[name].write_text(OFFICE_SETTINGS.sub("", seen), encoding="utf-8")
    jar = next(tools.rglob("vnu.jar"))
    every = [str(path) for path in (*files.values(), *views.values())]
    said = _run(["java", "-jar", str(jar), "--errors-only", "--format", "json", "--exit-zero-always", *every]).stderr
    for message in json.loads(said)["messages"]:
        if not OF_OUTLOOK.search(message["message"]):
            yield f"vnu: {Path(message['url']).name}:{message.get('lastLine', 0)}: {message['message']}"
    _say(f"vnu: {len(every)} files looked at")
    config, found = out / "html-validate.json", out / "html-validate.out.json"
    config.write_text(json.dumps(HTML_VALIDATE))
    binary = tools / "node_modules" / ".bin" / "html-validate"
    for name, path in files.items():
        _run([str(binary), "-c", str(config), "-f", f"json={found}", str(path)])
        for report in json.loads(found.read_text()):
            yield from (f"html-validate: {name}:{one['line']}: {one['message']}" for one in report["messages"])
    _say(f"html-validate: {len(files)} files looked at")


def check_spam(out: Path, mails: dict[str, tuple[Document, RenderedMail]]) -> Iterator[str]:
    if not shutil.which("spamassassin"):
        _say("skipped: SpamAssassin, because it is not installed (Debian: apt install spamassassin)")
        return
    worst = -99.0
    for name, (_, mail) in mails.items():
        message = out / f"{name}.eml"
        message.write_bytes(_message(mail))
        with message.open("rb") as source:
            said = subprocess.run(["spamassassin", "-L", "-t"], stdin=source, capture_output=True, check=False).stdout
        scored = re.search(rb"score=(-?[\d.]+)", said)
        if scored is None:
            yield f"{name}: SpamAssassin gave no score"
            continue
        worst = max(worst, float(scored[1]))
        if float(scored[1]) >= MOST_SPAM:
            tests = re.search(rb"tests=([\w,\s]+)", said)
            yield f"{name}: SpamAssassin scores {float(scored[1])}: {tests[1].decode() if tests else ''}"
    _say(f"SpamAssassin: {len(mails)} messages looked at, the worst scores {worst}")


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
    person = Person(delivery=1, address="amina@reader.example", variables={})
    built = build_message(mail=sent, person=person, date=datetime.now(UTC), message_id="check@news.harbour.example")
    return built.as_bytes()


def _write(out: Path, name: str, mail: RenderedMail) -> Path:
    path = out / f"{name}.html"
    path.write_text(fill_sample(mail.html), encoding="utf-8")
    return path


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
