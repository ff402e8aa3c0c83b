"""Write the finding of a check for the terminal."""

from rich.text import Text

from newsletter.sending.deliverability.findings import Finding

_STYLES = {"ok": "green", "advice": "cyan", "warning": "yellow", "error": "bold red"}


def describe_finding(finding: Finding) -> Text:
    """Return the level, the check, what it says, and what to do, with the DNS records to add."""
    line = Text.assemble((f"{finding.level:<8}", _STYLES[finding.level]), (finding.check, "bold"), f": {finding.says}")
    if finding.means:
        line.append(f" {finding.means}")
    if finding.do:
        line.append(f"\n        → {finding.do}")
    for record in finding.records:
        line.append(
            f"\n          Name:  {record.name}\n          Type:  {record.type}\n          Value: {record.value}"
        )
    return line
