"""newsletter staff: add people with a role, or list them."""

import sys
from argparse import ArgumentParser
from getpass import getpass

from newsletter.common.commands.base import ProductCommand, make_table, prepare_new_database
from newsletter.organisation.accounts.roles import ROLE_LABELS, ROLES
from newsletter.organisation.accounts.staff import (
    BadPassword,
    StaffChange,
    add_staff,
    check_new_password,
    is_staff,
    list_staff,
    remove_second_factor,
)


class Command(ProductCommand):
    help = "Give people an account and a role in the desk, or list who has one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | forget-factor")
        roles = "; ".join(f"{role}: {words}" for role, words in ROLE_LABELS.items())
        add = actions.add_parser("add", help="Add a person, or change a person's role or password.")
        add.add_argument("email", metavar="EMAIL")
        add.add_argument("--role", required=True, choices=ROLES, help=f"{roles}.")
        add.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")
        add.add_argument("--json", action="store_true")
        forget = actions.add_parser(
            "forget-factor", help="Remove a person's second factor, for example after they lost their phone."
        )
        forget.add_argument("email", metavar="EMAIL")
        listing = actions.add_parser("list", help="List who has an account.")
        listing.add_argument("--json", action="store_true")

    def run(
        self, *, action: str, email: str = "", role: str = "", password_stdin: bool = False, json: bool = False
    ) -> None:
        if action == "list":
            self._list(as_json=json)
            return
        if action == "forget-factor":
            was_removed = remove_second_factor(email=email)
            result = "was removed. They set up a new one at the next sign-in" if was_removed else "was not set up"
            self.stdout.write(f"The second factor of {email} {result}.")
            return
        prepare_new_database()
        password = _read_password(email, from_stdin=password_stdin)
        change = add_staff(email=email, role=role, password=password)
        if json:
            self.write_json(vars(change))
        else:
            self.stdout.write(_in_words(change))

    def _list(self, *, as_json: bool) -> None:
        staff = list_staff()
        if as_json:
            self.write_json({"staff": [vars(member) for member in staff]})
            return
        if not staff:
            self.stdout.write("Nobody has an account yet. Add somebody: newsletter staff add EMAIL --role admin")
            return
        table = make_table("email", "role", "second factor", "last sign-in")
        for member in staff:
            seen = f"{member.last_login:%Y-%m-%d %H:%M}" if member.last_login else "never"
            factor = "yes" if member.second_factor else "no"
            table.add_row(member.email, member.role or "none", factor, seen if member.active else f"{seen}; inactive")
        self.console().print(table)


def _read_password(email: str, *, from_stdin: bool) -> str | None:
    """Read a password from standard input or, for a new person, twice from the terminal. None keeps the old one."""
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n") or None
    if is_staff(email):
        return None
    password = getpass(f"Password for {email}, at least 12 characters: ")
    check_new_password(email, password)
    if getpass("Repeat the password: ") != password:
        raise BadPassword("The two passwords are not the same. Run the command again.")
    return password


def _in_words(change: StaffChange) -> str:
    role = f"{change.role}: {ROLE_LABELS[change.role]}"
    if change.created:
        return f"Added {change.email} with the role {role}."
    password = " The password was changed." if change.password_set else ""
    if change.old_role == change.role:
        return f"{change.email} already has the role {change.role}.{password}"
    return f"{change.email} is now {role} (was: {change.old_role or 'no role'}).{password}"
