"""Each extension keeps the contract of its kind."""

from newsletter.testing.blocks import BlockContract
from newsletter.testing.checks import CheckContract
from newsletter.testing.providers import ProviderContract
from newsletter.testing.sources import SourceContract
from newsletter.testing.translations import TranslationContract


class TestSpreadsheet(SourceContract):
    name = "spreadsheet"
    document = (
        b"title,link,teaser,date\n"
        b"The clinic opens its doors,https://example.org/clinic,Every Monday.,2026-03-02\n"
        b"A verdict,https://example.org/verdict,,2026-03-01\n"
    )
    content_type = "text/csv"


class TestRelay(ProviderContract):
    name = "relay"
    receipt = b'{"id": "r-1", "accepted": 2}'
    webhook = b'[{"id": "e-1", "event": "bounced", "delivery": "7", "batch": "batch-1", "address": "ana@example.com"}]'


class TestThankYou(BlockContract):
    name = "thank_you"


class TestCapitals(CheckContract):
    name = "capitals"
    bad_note = "<p>PLEASE DONATE TODAY</p>"


class TestItalian(TranslationContract):
    name = "it"
