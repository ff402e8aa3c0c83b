"""A warning for sentences in capitals: they are hard to read, and spam filters distrust them."""

from collections.abc import Iterator

from newsletter.extensions.checks import CheckedIssue, Finding, IssueCheck, Message, list_texts

MIN_LETTERS = 12


class Capitals(IssueCheck):
    interface = 1
    only_warns = True

    def check(self, issue: CheckedIssue) -> Iterator[Finding]:
        for part in list_texts(issue.content):
            for line in part.text.splitlines():
                if sum(char.isalpha() for char in line) >= MIN_LETTERS and line == line.upper() != line.lower():
                    message = Message("“%(text)s” is in capitals. Write it in small letters.", text=line[:60])
                    yield Finding("warning", "capitals", message, block=part.block, field=part.field, story=part.story)
