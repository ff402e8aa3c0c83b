"""Ask questions on the terminal or on standard input: check each answer, and ask again after a bad one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from newsletter.common.errors import DomainError
from newsletter.management.setup.kept_answers import KeptAnswers

NONE, _YES = "none", "yes"
STOPPED = "Stopped. Your answers are kept. Go on with: newsletter setup"


class BadAnswer(DomainError):
    """An answer cannot be used. The message says what happened, what it means and what to do."""


class NotAnswered(DomainError):
    """An answer is missing, and nobody can be asked."""


@dataclass(frozen=True)
class Question:
    """``name`` is that of the option. ``check`` returns the answer as it is used, and raises DomainError.

    ``show`` returns what may be shown of an answer.
    """

    name: str
    title: str
    help: str
    check: Callable[[str], str]
    show: Callable[[str], str] = str

    @property
    def option(self) -> str:
        return f"--{self.name.replace('_', '-')}"


@dataclass(frozen=True)
class Prompt:
    """With ``asks`` False, an option, a kept answer or the default is taken, and a bad one is an error."""

    given: dict[str, str]
    kept: KeptAnswers
    asks: bool
    say: Callable[[str], None]

    def ask(self, question: Question, *, default: str | None = None, is_repeated: bool = False) -> str:
        """Return the checked answer and keep it. Raises NotAnswered, BadAnswer, EOFError, KeyboardInterrupt.

        ``is_repeated``: the earlier answer is not wanted, so ask in any case.
        """
        answer = None if is_repeated else self._take(question)
        if answer is None:
            answer = self._ask(question, default) if self.asks else self._use_default(question, default)
        self.kept.keep(question.name, answer)
        return answer

    def confirm(self, text: str, *, default: bool, keep_as: str = "") -> bool:
        """Return the answer to a question of yes or no; the default if nobody is asked.

        With ``keep_as`` the answer is kept under this name, and the kept one is taken.
        """
        if keep_as and (kept_answer := self.kept.find(keep_as)):
            return kept_answer == _YES
        answer = self._ask_yes_or_no(text, default) if self.asks else default
        if keep_as:
            self.kept.keep(keep_as, _YES if answer else NONE)
        return answer

    def _ask_yes_or_no(self, text: str, default: bool) -> bool:
        while True:
            typed = input(f"{text} [{'Y/n' if default else 'y/N'}]: ").strip().lower()
            if typed in ("", "y", "yes", "n", "no"):
                return typed.startswith("y") if typed else default
            self.say("  This is neither yes nor no. Nothing is done until you choose. Type y or n.")

    def choose(self, text: str, *, count: int) -> list[int]:
        """Return which of the shown items are wanted, counted from 0; the first if nobody is asked."""
        if not self.asks or count == 1:
            return [0]
        while True:
            typed = input(f"{text} [1]: ").strip() or "1"
            numbers = typed.replace(",", " ").split()
            if all(one.isascii() and one.isdigit() and 1 <= int(one) <= count for one in numbers):
                return sorted({int(one) - 1 for one in numbers})
            self.say(
                f"  “{typed[:40]}” names none of them. Nothing is added until you choose. Type numbers from 1 to {count}."
            )

    def _take(self, question: Question) -> str | None:
        """Return the answer of the command line, or else of the last run. Say why one cannot be used."""
        for typed, origin in ((self.given.get(question.name), ""), (self.kept.find(question.name), " (kept)")):
            if typed is None:
                continue
            try:
                answer = question.check(typed.strip())
            except DomainError as error:
                if not self.asks:
                    raise BadAnswer("%(option)s: %(error)s", option=question.option, error=error) from error
                self.say(f"  {error}")
                continue
            self.say(f"{question.title}: {question.show(answer)}{origin}")
            return answer
        return None

    def _ask(self, question: Question, default: str | None) -> str:
        self.say(f"\n{question.help}")
        suggestion = f" [{default}]" if default else ""
        while True:
            typed = input(f"{question.title}{suggestion}: ").strip() or default or ""
            try:
                return question.check(typed)
            except DomainError as error:
                self.say(f"  {error}")

    def _use_default(self, question: Question, default: str | None) -> str:
        if default is None:
            raise NotAnswered(
                "%(option)s is missing, and with --yes nobody is asked. The set-up stopped before this step. Add"
                " %(option)s, or leave --yes out.",
                option=question.option,
            )
        return question.check(default)


@contextmanager
def explain_stop(say: Callable[[str], None]) -> Iterator[None]:
    """Say how to go on if somebody ends the set-up. Raises NotAnswered at the end of the input."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"\n{STOPPED}")
        raise
    except EOFError as error:
        raise NotAnswered("The input ended before all questions were answered. %(stopped)s", stopped=STOPPED) from error


def is_none(text: str) -> bool:
    return text.strip().lower() in (NONE, "no", "-")
