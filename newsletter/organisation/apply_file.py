"""Create or update the rows that the organisation file names, all or nothing.

Rows and values that the file leaves out are not changed. Nothing is deleted.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.db import transaction

from newsletter.organisation.apply_tables import (
    apply_appeal,
    apply_brand,
    apply_case,
    apply_limits,
    apply_list,
    apply_publication,
    apply_segment,
    apply_source,
    apply_topic,
)
from newsletter.organisation.logos import Logos, host_logos
from newsletter.organisation.read_file import read_organisation
from newsletter.organisation.schema import OrganisationFile
from newsletter.organisation.upsert import Change


def apply_file(path: Path, *, dry_run: bool = False, now: datetime) -> list[Change]:
    """Read the file and apply it. Raises BadFile with the wrong table and key; then nothing is changed."""
    return apply_organisation(read_organisation(path), folder=path.parent, dry_run=dry_run, now=now)


def apply_organisation(
    organisation: OrganisationFile, *, folder: Path, dry_run: bool = False, now: datetime
) -> list[Change]:
    """Create or update everything in one transaction. With `dry_run` nothing is written. Paths of logos begin at ``folder``."""
    logos = host_logos(organisation.brand, folder=folder, dry_run=dry_run)
    with transaction.atomic():
        changes = list(_apply(organisation, logos=logos, now=now))
        if dry_run:
            transaction.set_rollback(True)
    return changes


def _apply(organisation: OrganisationFile, *, logos: Logos, now: datetime) -> Iterator[Change]:
    if organisation.brand is not None:
        yield apply_brand(organisation.brand, logos=logos)
    if organisation.limits is not None:
        yield apply_limits(organisation.limits)
    for mailing_list in organisation.lists:
        yield apply_list(mailing_list)
    for topic in organisation.topics:
        yield apply_topic(topic)
    for case in organisation.cases:
        yield apply_case(case)
    for segment in organisation.segments:
        yield apply_segment(segment)
    for source in organisation.sources:
        yield apply_source(source, now=now)
    for publication in organisation.publications:
        yield apply_publication(publication)
    for appeal in organisation.appeals:
        yield apply_appeal(appeal)
