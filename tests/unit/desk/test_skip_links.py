"""Each mail in an iframe of the desk has a link past it, because each link in it takes a Tab."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[3] / "templates/web/desk"
SECTION = re.compile(r'{% include "(desk/issue/[a-z_]+\.html)" %}')
SKIP, AFTER, FRAME = '{% include "desk/parts/skip_mail.html" %}', 'id="nl-after-mail"', 'class="nl-frame"'


def read_page(file: Path) -> str:
    """Return the text of a page with its sections."""
    text = file.read_text(encoding="utf-8")
    return SECTION.sub(lambda found: (TEMPLATES.parent / found[1]).read_text(encoding="utf-8"), text)


def test_each_mail_of_the_desk_can_be_skipped() -> None:
    texts = {
        file.relative_to(TEMPLATES).as_posix(): file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.html")
    }
    frames = {name: text for name, text in texts.items() if FRAME in text}
    assert len(frames) > 5
    for name, text in frames.items():
        assert text.count(SKIP) == text.count(AFTER) == 1, name
        assert text.index(SKIP) < text.index(FRAME) < text.rindex("</iframe>") < text.index(AFTER), name
    panel = texts["preview_panel.html"]
    assert panel.index(SKIP) < panel.index("{{ block.super }}") < panel.index(AFTER)


def test_a_link_to_the_mail_has_a_mail_to_lead_to() -> None:
    leads = [file for file in TEMPLATES.rglob("*.html") if "parts/go_to_mail.html" in file.read_text(encoding="utf-8")]
    assert leads
    for file in leads:
        assert read_page(file).count('id="nl-mail-frame"') == 1, file.name
