"""Every code of a finding about a sender's domain is documented, and tells its check."""

import re
from pathlib import Path

from newsletter.sending.deliverability.domain_checks.codes import DomainCode

REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference/domain-checks.md"


def test_the_reference_lists_every_code() -> None:
    rows = re.findall(r"^\| `([a-z-]+\.[a-z-]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [str(code) for code in DomainCode]
