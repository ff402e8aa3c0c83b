"""newsletter preview: write each variant of an issue to files."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from email.policy import SMTP
from pathlib import Path
from typing import TypedDict

from django.conf import settings

from newsletter.common.commands.base import ProductCommand
from newsletter.common.commands.private_output import write_private
from newsletter.common.errors import BadFile, NotFound
from newsletter.issues.approval.approve import may_renew_mails
from newsletter.issues.assembly.lookup import find_issue
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.store_variants import make_variants
from newsletter.models import Issue, Variant
from newsletter.providers.base.mail.mime import build_message
from newsletter.rendering.mail import split
from newsletter.sending.notices.proofs import make_sample_mail

WHOLE_LINES = SMTP.clone(max_line_length=998)


class Command(ProductCommand):
    help = "Write each variant of an issue as KEY.html, KEY.txt and KEY.eml, with sample values in the personal fields."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", metavar="ISSUE", help="The issue: an id, SLUG/NUMBER or SLUG/latest.")
        parser.add_argument("--variant", metavar="KEY", help="Only this variant.")
        parser.add_argument(
            "--out", default="", metavar="DIR", help="Where to write; a folder of the data folder otherwise."
        )
        parser.add_argument("--json", action="store_true")

    def run(self, *, reference: str, variant: str | None, out: str, json: bool) -> None:
        issue = find_issue(reference)
        variants = _find_variants(issue, variant)
        folder = Path(out or Path(settings.NEWSLETTER_DATA_DIR) / "previews" / issue.reference.replace("/", "-"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            written = [_write(variant, folder) for variant in variants]
        except OSError as error:
            raise BadFile(f"{folder} cannot be written to: {error.strerror}. Choose another --out.") from error
        if json:
            self.write_json({"issue": issue.reference, "out": str(folder), "variants": written})
            return
        times_by_text: dict[str, int] = {}
        for row in written:
            self.stdout.write(f"{row['key']}  {row['bytes']:>7,} bytes  {row['label']}")
            for finding in row["findings"]:
                words = f"{finding['level']}: {finding['message']}"
                times_by_text[words] = times_by_text.get(words, 0) + 1
        self.write_lines(f"{words} (in {times} of {len(written)})" for words, times in times_by_text.items())
        self.stdout.write(f"Written to {folder}")


def _find_variants(issue: Issue, key: str | None) -> list[Variant]:
    sent = issue.sends.exclude(state="cancelled").first()
    if sent:
        variants = list(Variant.objects.filter(revision=sent.revision).that_readers_get())
    else:
        revision = freeze_revision(issue=issue, now=datetime.now(UTC))
        content = IssueContent.from_json(revision.content)
        renew = may_renew_mails(issue, content=content)
        variants = make_variants(revision=revision, groups=find_groups(issue, content=content), renew=renew)
    if not variants:
        raise NotFound(
            f"Nobody on the list of {issue} may be mailed, so there is nothing to preview. Import people, or choose another "
            "list or segment."
        )
    chosen = [variant for variant in variants if not key or variant.key == key]
    if not chosen:
        raise NotFound(f"{issue} has no variant “{key}”. It has: {', '.join(variant.key for variant in variants)}.")
    return chosen


class _WrittenVariant(TypedDict):
    key: str
    label: str
    subject: str
    bytes: int
    findings: list[dict[str, str]]


def _write(variant: Variant, out: Path) -> _WrittenVariant:
    mail, person = make_sample_mail(variant, site_url=settings.NEWSLETTER_SITE_URL)
    html = split(mail.html).join(person.variables)
    write_private(out / f"{variant.key}.html", html.encode())
    write_private(out / f"{variant.key}.txt", split(mail.text).join(person.variables).encode())
    message = build_message(
        mail=mail, recipient=person, date=variant.revision.made_at, message_id=f"preview-{variant.key}@localhost"
    )
    write_private(out / f"{variant.key}.eml", message.as_bytes(policy=WHOLE_LINES))
    return {
        "key": variant.key,
        "label": variant.label,
        "subject": split(mail.subject).join(person.variables),
        "bytes": len(html.encode()),
        "findings": variant.findings,
    }
