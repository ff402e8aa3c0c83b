"""Make blocks of an issue that are for some readers only."""

from newsletter.models import Issue


def limit_block(issue: Issue, kind: str, **rules: str) -> None:
    """Show the first block of this kind only to readers who meet the rules."""
    blocks = issue.body.get_prep_value()
    block = next(block for block in blocks if block["type"] == kind)
    block["value"].setdefault("show_to", {}).update(rules)
    issue.body = issue.body.stream_block.to_python(blocks)
    issue.save()


def add_limited_note(issue: Issue, text: str, **rules: str) -> None:
    """Put a note with this text at the start, for readers who meet the rules."""
    note = {"type": "note", "value": {"heading": "", "text": f"<p>{text}</p>"}}
    issue.body = issue.body.stream_block.to_python([note, *issue.body.get_prep_value()])
    issue.save()
    limit_block(issue, "note", **rules)
