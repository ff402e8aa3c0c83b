"""The door to imports for the rest of the product: one file of people, brought in by the process that asks."""

from subscribers.importing.errors import BadFile, CannotImport
from subscribers.importing.report import ImportReport
from subscribers.importing.service import import_people

__all__ = ["BadFile", "CannotImport", "ImportReport", "import_people"]
