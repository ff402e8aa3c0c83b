"""Decide if a verified identity may sign in, and with which account. Every refusal leaves all rows as they were."""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import transaction
from wagtail.log_actions import log

from newsletter.common.errors import BadAddress
from newsletter.common.text import clean_line
from newsletter.identity_provider.errors import NotAdmitted
from newsletter.identity_provider.identity import Identity
from newsletter.identity_provider.settings import IdentityProvider
from newsletter.organisation.accounts.administrators import (
    LastAdministrator,
    list_administrators,
    require_administrator,
)
from newsletter.organisation.accounts.roles import ROLES, Role
from newsletter.organisation.accounts.staff import check_email, check_role, give_role, role_of
from newsletter.organisation.accounts.staff_links import withdraw_staff_links

MAX_NAMED = 3
MAX_GROUPS_LENGTH = 120


@transaction.atomic
def admit(identity: Identity, *, provider: IdentityProvider, now: datetime) -> tuple[User, SocialAccount]:
    """Return the account that this identity enters, brought up to date, and the link between the two.

    Raises NotAdmitted.
    """
    address = _check_address(identity, provider=provider)
    person = find_person(identity, provider=provider)
    if person is None:
        person = _add(identity, address=address, provider=provider)
    person = User.objects.select_for_update().get(pk=person.pk)
    link = find_link(identity, provider=provider)
    if not person.is_active:
        raise NotAdmitted(
            "Your account at this desk is switched off, so you are not signed in. An administrator can switch it on again.",
            code="switched_off",
        )
    link = link or _link(identity, person=person, provider=provider)
    _update(person, identity, address=address, provider=provider)
    withdraw_staff_links(person=person, now=now)
    return person, link


def find_link(identity: Identity, *, provider: IdentityProvider) -> SocialAccount | None:
    """Return the link of this identity to an account, if it entered before."""
    accounts = SocialAccount.objects.filter(provider=provider.issuer, uid=identity.subject)
    return accounts.select_related("user").first()


def find_person(identity: Identity, *, provider: IdentityProvider) -> User | None:
    """Return the account that this identity entered before, or else the one with its address."""
    link = find_link(identity, provider=provider)
    return link.user if link else User.objects.filter(username=identity.email.strip().lower()).first()


def _check_address(identity: Identity, *, provider: IdentityProvider) -> str:
    """Return the verified address, if it is allowed. Raises NotAdmitted."""
    if not identity.email:
        raise NotAdmitted(
            "%(name)s did not say what your email address is, so you are not signed in. Tell an administrator: the desk "
            "needs the claim “email”.",
            name=provider.name,
            code="email_missing",
        )
    try:
        address = check_email(identity.email)
    except BadAddress as error:
        raise NotAdmitted(
            "The desk cannot use the address that %(name)s gave, so you are not signed in. %(error)s",
            name=provider.name,
            error=error,
            code="email_unusable",
        ) from error
    if not identity.email_verified:
        raise NotAdmitted(
            "%(name)s has not verified that %(address)s is yours, so you are not signed in. Verify the address there, then "
            "sign in again.",
            name=provider.name,
            address=address,
            code="email_unverified",
        )
    if not provider.allows(address):
        raise NotAdmitted(
            "%(address)s is not an address that may enter this desk, so you are not signed in. Use your address at the "
            "organisation, or ask an administrator of the desk to allow this one.",
            address=address,
            code="foreign_address",
        )
    return address


def _add(identity: Identity, *, address: str, provider: IdentityProvider) -> User:
    """Make an account with the role that the settings give to newcomers. Raises NotAdmitted."""
    role = _claimed_role(identity, provider=provider) or (check_role(provider.new_role) if provider.new_role else None)
    if role is None and provider.role_claim:
        raise _without_role(identity, provider=provider)  # an invitation would not help
    if role is None:
        raise _not_invited(address, provider=provider)
    if role != "admin" and not list_administrators().exists():
        raise NotAdmitted(
            "This desk has no administrator yet, so you are not signed in. Its first administrator opens the link in the "
            "log of the program.",
            code="no_administrator",
        )
    person = User(username=address.lower(), email=address, first_name=identity.first_name, last_name=identity.last_name)
    person.set_unusable_password()
    person.save()
    give_role(person, role)
    log(instance=person, action="newsletter.staff_added", data={"role": role, "with": provider.name})
    return person


def _link(identity: Identity, *, person: User, provider: IdentityProvider) -> SocialAccount:
    """Link the identity to the account, once. Raises NotAdmitted if the account belongs to another identity."""
    if SocialAccount.objects.filter(provider=provider.issuer, user=person).exists():
        raise NotAdmitted(
            "The account of %(address)s belongs to another person at %(name)s, who had this address before. You are not "
            "signed in. Ask an administrator of the desk to switch the account off and on again: then it is yours.",
            address=person.email,
            name=provider.name,
            code="other_identity",
        )
    link: SocialAccount = SocialAccount.objects.create(provider=provider.issuer, uid=identity.subject, user=person)
    log(instance=person, action="newsletter.identity_linked", user=person, data={"with": provider.name})
    return link


def _update(person: User, identity: Identity, *, address: str, provider: IdentityProvider) -> None:
    """Take over a new address, missing names, and the role that the claim gives. Raises NotAdmitted."""
    if person.username != address.lower() and not person.is_superuser:
        if User.objects.filter(username=address.lower()).exists():
            raise NotAdmitted(
                "Your address at %(name)s is now %(address)s, and another account of this desk has it. You are not signed "
                "in. Ask an administrator of the desk which of the two accounts is yours.",
                name=provider.name,
                address=address,
                code="address_taken",
            )
        was, person.username, person.email = person.username, address.lower(), address
        log(instance=person, action="newsletter.address_changed", user=person, data={"was": was, "with": provider.name})
    person.first_name = person.first_name or identity.first_name
    person.last_name = person.last_name or identity.last_name
    person.save(update_fields=["username", "email", "first_name", "last_name"])
    if provider.role_claim and not person.is_superuser:
        _update_role(person, identity, provider=provider)


def _update_role(person: User, identity: Identity, *, provider: IdentityProvider) -> None:
    role = _claimed_role(identity, provider=provider)
    if role is None:
        raise _without_role(identity, provider=provider)
    was = role_of(person)
    if role == was:
        return
    give_role(person, role)
    log(
        instance=person,
        action="newsletter.role_changed",
        user=person,
        data={"role": role, "was": was, "with": provider.name},
    )
    try:
        require_administrator()
    except LastAdministrator as error:
        raise NotAdmitted(
            "%(name)s no longer makes you an administrator, and the desk would have none. You are not signed in, and "
            "nothing was changed. Make somebody else an administrator first.",
            name=provider.name,
            code="last_administrator",
        ) from error


def _claimed_role(identity: Identity, *, provider: IdentityProvider) -> Role | None:
    """Return the highest role that the identity's groups give, or None."""
    held = {role for value, role in provider.roles if value in identity.groups}
    return next((role for role in reversed(ROLES) if role in held), None)


def _without_role(identity: Identity, *, provider: IdentityProvider) -> NotAdmitted:
    """Return the refusal. Its detail has what the claim gives, so that a missing scope is not taken for a missing group."""
    return NotAdmitted(
        "%(name)s gives you no role at this desk, so you are not signed in. Ask whoever looks after %(name)s to add "
        "you to a group of the newsletter.",
        name=provider.name,
        code="no_role",
        detail=f"{provider.role_claim}: {_name_groups(identity)}",
    )


def _name_groups(identity: Identity) -> str:
    """Return the first groups and how many more there are, because the page of the staff log leaves out long texts."""
    named = [clean_line(group, max_length=MAX_GROUPS_LENGTH) for group in sorted(identity.groups)]
    while len(", ".join(named)) > MAX_GROUPS_LENGTH:
        named.pop()
    more = len(identity.groups) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "") or "nothing was sent"


def _not_invited(address: str, *, provider: IdentityProvider) -> NotAdmitted:
    """Return the refusal. Only people of an allowed domain, or allowed by name, see the names of administrators."""
    names = [person.get_full_name() or person.email for person in list_administrators().order_by("pk")[:MAX_NAMED]]
    if names and (provider.domains or provider.people):
        return NotAdmitted(
            "Nobody has invited %(address)s to this desk yet, so you are not signed in. Ask for an invitation: %(names)s.",
            address=address,
            names=", ".join(names),
            code="not_invited",
        )
    return NotAdmitted(
        "Nobody has invited %(address)s to this desk yet, so you are not signed in. Ask an administrator of the desk for an "
        "invitation.",
        address=address,
        code="not_invited",
    )
