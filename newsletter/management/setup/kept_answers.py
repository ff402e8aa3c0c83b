"""The answers so far, in a private file until the set-up is finished: stopping it loses none."""

import json
from pathlib import Path

from newsletter.common.commands.private_output import replace_private
from newsletter.common.errors import BadFile

FILE = ".newsletter-setup.json"


class KeptAnswers:
    """The answers by the names of QUESTIONS. The file may hold the provider's key, so only its owner can read it."""

    def __init__(self, folder: Path) -> None:
        """Read the answers of an earlier run. Raises BadFile."""
        self.file = folder / FILE
        self._answers: dict[str, str] = {}
        try:
            read = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise BadFile(
                f"{self.file} cannot be read, so the answers of the last time are not known. Delete it and run"
                " `newsletter setup` again."
            ) from error
        self._answers = {str(name): str(answer) for name, answer in dict(read).items()}

    def find(self, name: str) -> str | None:
        return self._answers.get(name)

    def keep(self, name: str, answer: str) -> None:
        """Write the answer to the file. Raises OSError."""
        self._answers[name] = answer
        replace_private(self.file, json.dumps(self._answers, ensure_ascii=False, indent=2))

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)
