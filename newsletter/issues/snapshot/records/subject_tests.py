"""The record of a subject test: the subjects beside the issue's own, who gets one of them, and how long the others wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubjectChoice:
    """A subject with its preheader. An empty preheader is the issue's own."""

    subject: str
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class SubjectTestRecord:
    """``subjects`` has those from the second on. ``share_percent`` of the readers get one of them or the first, by ``seed``."""

    subjects: tuple[SubjectChoice, ...]
    share_percent: int
    wait_hours: int
    seed: int

    @property
    def number_of_subjects(self) -> int:
        return 1 + len(self.subjects)
