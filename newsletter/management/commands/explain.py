"""newsletter explain: say whether a person gets an issue, and why they get each of its parts or do not; write their mail."""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from newsletter.common.commands.base import ProductCommand
from newsletter.common.commands.private_output import write_private
from newsletter.common.errors import BadFile
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.feedback.explaining.rebuild_mail import NOTES, Match, RebuiltMail, rebuild_mail
from newsletter.issues.assembly.lookup import find_issue
from newsletter.management.explanation_lines import list_explanation_lines
from newsletter.providers.base.mail.headers import make_message_id
from newsletter.providers.base.mail.mime import build_message
from subscribers.people.lookup import find_person

_OURS_IN_A_FILE = (
    "The date, the Message-ID and the lines between the parts of the file are ours; providers set their own."
)


class Command(ProductCommand):
    help = "Say whether a person gets or got an issue, and why they get each story, event and appeal, or do not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("reference", metavar="ISSUE", help="The issue: an id, SLUG/NUMBER or SLUG/latest.")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--mail",
            type=Path,
            metavar="FILE",
            help="Write the mail that they got: all of it to FILE.eml, the HTML part to FILE.html, the plain text to "
            "FILE.txt. Its links work: the one to unsubscribe unsubscribes this person.",
        )

    def run(self, *, email: str, reference: str, json: bool, mail: Path | None) -> None:
        issue, person = find_issue(reference), find_person(email)
        rebuilt = rebuild_mail(issue, person=person) if mail else None
        if mail and rebuilt:
            _write(rebuilt, mail)
        explained = explain_issue(issue, person=person, now=datetime.now(UTC))
        if json:
            reasons = [asdict(reason) for reason in explained.reasons]
            self.write_json(
                {
                    "issue": issue.reference,
                    "outcome": str(explained.outcome),
                    "version": str(explained.version),
                    "language": str(explained.language),
                    "reasons": reasons,
                    **({"mail": {"file": str(mail), "is_exact": rebuilt.match is Match.EXACT}} if rebuilt else {}),
                }
            )
            return
        for line in list_explanation_lines(explained):
            self.stdout.write(line)
        if rebuilt:
            of_a_file = f" {_OURS_IN_A_FILE}" if mail and mail.suffix.lower() == ".eml" else ""
            self.stdout.write(f"Their mail is in {mail}. {NOTES[rebuilt.match]}{of_a_file}")


def _write(rebuilt: RebuiltMail, file: Path) -> None:
    content = _read_part(rebuilt, suffix=file.suffix.lower())
    try:
        write_private(file, content)
    except OSError as error:
        raise BadFile(
            f"{file} cannot be written to: {error.strerror}. The mail was not written. Choose another file."
        ) from error


def _read_part(rebuilt: RebuiltMail, *, suffix: str) -> bytes:
    """Return the bytes of a file with this ending. Date and Message-ID of a whole mail are ours: providers set their own."""
    match suffix:
        case ".html":
            return rebuilt.html.encode()
        case ".txt":
            return rebuilt.text.encode()
        case ".eml":
            name = f"{rebuilt.delivery.batch.key}-{rebuilt.delivery.pk}"
            domain = rebuilt.mail.from_email.rpartition("@")[2]
            message = build_message(
                mail=rebuilt.mail,
                recipient=rebuilt.recipient,
                message_id=make_message_id(name, domain=domain),
                date=rebuilt.attempt.started_at,
            )
            return message.as_bytes()
        case _:
            raise BadFile("The mail was not written. Let the name of the file end in .eml, .html or .txt.")
