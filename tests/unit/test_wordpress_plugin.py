"""The WordPress plugin as it is handed out: its header, its catalogues and its texts."""

import json
import re

from babel.messages.pofile import read_po

from scripts.plugin_messages import (
    CALL,
    DOMAIN,
    LANGUAGES,
    LOCALES,
    PLUGIN,
    collect_template,
    make_mo,
    update_catalogue,
)

MAIN = (PLUGIN / "newsletter-signup.php").read_text(encoding="utf-8")


def test_the_header_names_the_version_that_the_code_has() -> None:
    header = dict(re.findall(r"^ \* ([\w ]+): (.+)$", MAIN, re.MULTILINE))
    assert header["License"] == "GPL-2.0-or-later"
    assert header["Text Domain"] == DOMAIN == json.loads((PLUGIN / "block" / "block.json").read_text())["textdomain"]
    assert f"const VERSION = '{header['Version']}';" in MAIN
    assert "GNU GENERAL PUBLIC LICENSE" in (PLUGIN / "LICENSE").read_text(encoding="utf-8")


def test_every_text_is_in_the_template_and_translated() -> None:
    with (LANGUAGES / f"{DOMAIN}.pot").open("rb") as stream:
        template = {(message.context, message.id) for message in read_po(stream) if message.id}
    assert template == {(message.context, message.id) for message in collect_template() if message.id}
    for locale in LOCALES:
        catalogue = update_catalogue(locale)
        assert [message.id for message in catalogue if not message.string] == []
        assert (LANGUAGES / f"{DOMAIN}-{locale}.mo").read_bytes() == make_mo(catalogue)


def test_a_translation_keeps_the_values_of_its_text() -> None:
    for locale in LOCALES:
        for message in update_catalogue(locale):
            values = re.findall(r"%(?:\d\$)?[sd]", str(message.id))
            assert sorted(values) == sorted(re.findall(r"%(?:\d\$)?[sd]", str(message.string))), message.id


def test_no_file_of_the_plugin_can_be_called_by_itself() -> None:
    for file in PLUGIN.rglob("*.php"):
        text = file.read_text(encoding="utf-8")
        assert "defined('ABSPATH') || exit;" in text or "defined('WP_UNINSTALL_PLUGIN') || exit;" in text, file


def test_each_call_for_a_text_names_the_plugin_as_its_domain() -> None:
    for file in PLUGIN.rglob("*.php"):
        text = file.read_text(encoding="utf-8")
        calls = re.findall(r"\b(?:esc_html__|esc_attr__|__|_e|esc_html_e|_n|_x)\(", text)
        assert len(calls) == len(CALL.findall(text)), file
