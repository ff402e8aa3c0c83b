"""Write docs/reference/sender-codes.md from the table of codes: python -m scripts.sender_codes_reference."""

from pathlib import Path

from newsletter.providers.base.webhooks.sender_refusal_codes import TABLE, WHAT_TO_CHANGE, YAHOO_TABLE

PAGE = Path(__file__).parent.parent / "docs/reference/sender-codes.md"
_INTRODUCTION = """# Codes about the sender

Made from `newsletter/providers/base/webhooks/sender_refusal_codes.py` by `make docs`; do not edit. Mail servers refuse
(5.7.y) or delay (4.7.y) mail with these codes because of its sender. They never mark a recipient: no bounce counts against
the person and nobody is suppressed. Every other refusal of the form x.7.y marks nobody either, with the cause “other”; a
delay with another code of the form 4.7.y is often greylisting and counts for nobody.

If at least 20 mails of a send, and one in twenty, meet such a code, the send pauses. Its reason says what to change.
"""


def describe_codes() -> str:
    lines = [_INTRODUCTION, "| code | cause | source |", "|---|---|---|"]
    for line in TABLE:
        codes = [
            f"{kind}.7.{line.first}" + (f" – {kind}.7.{line.last}" if line.last != line.first else "")
            for kind in line.kinds
        ]
        lines.append(f"| {', '.join(codes)} | {line.cause.value} | {line.source} |")
    for letters, (cause, source) in YAHOO_TABLE.items():
        lines.append(f"| [{letters}01] – [{letters}99] of Yahoo | {cause.value} | {source} |")
    lines += [
        "",
        "A code that is in two lines has the cause of the first.",
        "",
        "| cause | what to change |",
        "|---|---|",
    ]
    lines += [f"| {cause.value} | {text} |" for cause, text in WHAT_TO_CHANGE.items()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(describe_codes(), encoding="utf-8")
