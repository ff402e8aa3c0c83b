"""Record the sources and addresses of stories, and let one row stand for all rows of the same story."""

from collections import defaultdict

from django.db import migrations

from newsletter.content.parsing.same_page import hash_page, is_story_page

BATCH = 1000


def join_rows(apps, schema_editor):
    alias = schema_editor.connection.alias
    Story, Origin, Address, Placed = (
        apps.get_model("newsletter", name).objects.using(alias)
        for name in ("Story", "StoryOrigin", "StoryAddress", "PlacedStory")
    )
    placed = set(Placed.values_list("story_id", flat=True))
    rows = list(Story.order_by("pk").values_list("pk", "url", "source_id", "external_id", "edited_fields"))
    by_page = defaultdict(list)
    for row in rows:
        if is_story_page(row[1]):
            by_page[hash_page(row[1])].append(row)
    twin_of, addresses = {}, []
    for sha256, alike in by_page.items():
        if len({row[2] for row in alike}) < len(alike):
            # Several entries of one source link to this page, so it is the page of none of them.
            continue
        keeper = min(alike, key=lambda row: (not row[4], row[0] not in placed, row[0]))
        twin_of.update((row[0], keeper[0]) for row in alike if row[0] != keeper[0])
        addresses.append((keeper[0], sha256, keeper[1]))
    make_address = apps.get_model("newsletter", "StoryAddress")
    Address.bulk_create(
        (make_address(story_id=pk, sha256=sha256, address=url[:2000]) for pk, sha256, url in addresses),
        batch_size=BATCH,
    )
    make_origin = apps.get_model("newsletter", "StoryOrigin")
    Origin.bulk_create(
        (
            make_origin(story_id=twin_of.get(pk, pk), source_id=source, external_id=external_id)
            for pk, _url, source, external_id, _edited in rows
            if source is not None
        ),
        batch_size=BATCH,
    )
    for twin, keeper in twin_of.items():
        Story.filter(pk=twin).update(same_as_id=keeper)
    make_placed = apps.get_model("newsletter", "PlacedStory")
    moved = Placed.filter(story_id__in=twin_of).order_by("pk")
    Placed.bulk_create(
        (
            make_placed(publication_id=row.publication_id, story_id=twin_of[row.story_id], issue_id=row.issue_id, kind=row.kind)
            for row in moved
        ),
        batch_size=BATCH,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0025_stories_at_their_source")]

    operations = [migrations.RunPython(join_rows, migrations.RunPython.noop)]
