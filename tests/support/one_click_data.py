"""Fills an empty PostgreSQL database with tables and people of one list: python -m tests.support.one_click_data PEOPLE

Prints, as JSON, the path of each one's one-click link, by the row's id.
"""

import json
import sys

import django


def main(people: int) -> None:
    django.setup()
    from django.db import connection

    from subscribers.links.signed_links import Purpose
    from tests.support.migrated_database import find_statements_file
    from tests.support.migration_statements import make_tables
    from tests.support.people import make_list, make_member, path_to

    connection.ensure_connection()
    make_tables(find_statements_file(connection.connection.info.server_version))
    weekly = make_list(name="Weekly")
    made = [make_member(weekly, f"person{number}@example.org") for number in range(people)]
    json.dump({person.pk: path_to(person, weekly, Purpose.UNSUBSCRIBE) for person in made}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
