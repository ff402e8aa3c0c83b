"""The desk's own routes, one row each, with the roles that may use it. A step of an address follows the route's name.

A route needs the second factor if all its roles are approvers, data managers or administrators.
"""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver

NOBODY, STAFF = "", "writer editor approver data admin"
WRITERS, EDITORS, APPROVERS = "writer editor approver admin", "editor approver admin", "approver admin"
PEOPLE, LISTS, ADMIN = "data admin", "editor approver data admin", "admin"
PICKED, ISSUES = "wagtailsnippetchoosers_newsletter", "wagtailsnippets_newsletter_issue"

SETUP_STEPS = ("brand", "list", "source", "publication", "people", "provider", "domain", "proof")

LOOKED_AT = {
    "newsletter_api_keys": ADMIN,
    "newsletter_audit": ADMIN,
    "newsletter_clicked_mail": WRITERS,
    "newsletter_decide": NOBODY,  # opens by a link that was signed for one person
    "newsletter_event_announce": WRITERS,
    "newsletter_event_places": WRITERS,
    "newsletter_issue_audience": WRITERS,
    "newsletter_issue_compare": WRITERS,
    "newsletter_issue_compared": WRITERS,
    "newsletter_issue_mail": WRITERS,
    "newsletter_issue_close": WRITERS,
    "newsletter_issue_delete": WRITERS,
    "newsletter_issue_new": WRITERS,
    "newsletter_issue_overview": WRITERS,
    "newsletter_notices": STAFF,
    "newsletter_issue_reassemble": WRITERS,
    "newsletter_issue_revisions": WRITERS,
    "newsletter_issue_time": WRITERS,
    "newsletter_protected_terms": PEOPLE,
    "newsletter_processing": PEOPLE,
    "newsletter_report": WRITERS,
    "newsletter_results": WRITERS,
    "newsletter_search": STAFF,
    "newsletter_setup": ADMIN,
    **{f"newsletter_setup_{step}": ADMIN for step in SETUP_STEPS},
    "newsletter_send_ask start": APPROVERS,
    "newsletter_send_ask cancel": APPROVERS,
    "newsletter_send_progress": WRITERS,
    "newsletter_batch_ask again": APPROVERS,
    "newsletter_story_use": WRITERS,
    "newsletter_story_withdraw": WRITERS,
    "people:index": PEOPLE,
    "people:index_results": PEOPLE,
    "subscribers_bulk": PEOPLE,
    "subscribers_expiring": PEOPLE,
    "subscribers_export": PEOPLE,
    "subscribers_held": PEOPLE,
    "subscribers_erase": PEOPLE,
    "subscribers_import": PEOPLE,
    "subscribers_import_new": PEOPLE,
    "subscribers_import_progress": PEOPLE,
    "subscribers_import_refused": PEOPLE,
    "subscribers_import_terms": PEOPLE,
    "subscribers_import_undo": PEOPLE,
    "subscribers_imports": PEOPLE,
    "subscribers_person": PEOPLE,
    "subscribers_reveal": PEOPLE,
    "subscribers_regions": STAFF,
    "subscribers_towns": STAFF,
    "subscribers_why_in_segment": PEOPLE,
    "wagtailusers_users:index": ADMIN,
    "wagtailusers_users:index_results": ADMIN,
    "wagtailusers_users:add": ADMIN,
    "wagtailusers_users:edit": ADMIN,
    f"{ISSUES}:list": WRITERS,
    f"{ISSUES}:list_results": WRITERS,
    f"{ISSUES}:edit": WRITERS,
    f"{ISSUES}:preview_on_edit": WRITERS,
    f"{ISSUES}:revisions_view": WRITERS,
    f"{PICKED}_story:choose": STAFF,
    f"{PICKED}_story:choose_results": STAFF,
    f"{PICKED}_eventnotice:choose": STAFF,
    f"{PICKED}_eventnotice:choose_results": STAFF,
    f"{PICKED}_appeal:choose": STAFF,
    f"{PICKED}_appeal:choose_results": STAFF,
    "wagtailsnippets_newsletter_story:list": WRITERS,
    "wagtailsnippets_newsletter_story:list_results": WRITERS,
    "wagtailsnippets_newsletter_story:add": EDITORS,
    "wagtailsnippets_newsletter_story:edit": WRITERS,
    "wagtailsnippets_newsletter_story:preview_on_add": EDITORS,
    "wagtailsnippets_newsletter_story:preview_on_edit": WRITERS,
    "wagtailsnippets_newsletter_eventnotice:list": WRITERS,
    "wagtailsnippets_newsletter_eventnotice:list_results": WRITERS,
    "wagtailsnippets_newsletter_eventnotice:edit": WRITERS,
    "wagtailsnippets_newsletter_appeal:list": STAFF,
    "wagtailsnippets_newsletter_appeal:list_results": STAFF,
    "wagtailsnippets_newsletter_appeal:edit": EDITORS,
    "wagtailsnippets_newsletter_source:add": EDITORS,
    "wagtailsnippets_newsletter_source:edit": EDITORS,
    "wagtailsnippets_newsletter_source:list": EDITORS,
    "wagtailsnippets_newsletter_source:list_results": EDITORS,
    "wagtailsnippets_newsletter_publication:list": STAFF,
    "wagtailsnippets_newsletter_publication:list_results": STAFF,
    "wagtailsnippets_newsletter_publication:add": ADMIN,
    "wagtailsnippets_newsletter_publication:edit": ADMIN,
    "wagtailsnippets_newsletter_publication:preview_on_add": ADMIN,
    "wagtailsnippets_newsletter_publication:preview_on_edit": ADMIN,
    "wagtailsnippets_newsletter_brand:list": EDITORS,
    "wagtailsnippets_newsletter_brand:list_results": EDITORS,
    "wagtailsnippets_newsletter_brand:add": ADMIN,
    "wagtailsnippets_newsletter_brand:edit": ADMIN,
    "wagtailsnippets_newsletter_brand:preview_on_add": ADMIN,
    "wagtailsnippets_newsletter_brand:preview_on_edit": ADMIN,
    "wagtailsnippets_newsletter_publication:archive": ADMIN,
    "wagtailsnippets_newsletter_publication:archived": STAFF,
    "wagtailsnippets_newsletter_publication:copy": ADMIN,
    "wagtailsnippets_newsletter_publication:delete": ADMIN,
    "wagtailsnippets_subscribers_mailinglist:archive": PEOPLE,
    "wagtailsnippets_subscribers_mailinglist:archived": LISTS,
    "wagtailsnippets_subscribers_segment:archive": PEOPLE,
    "wagtailsnippets_subscribers_segment:archived": LISTS,
    "wagtailsnippets_subscribers_segment:copy": PEOPLE,
    "wagtailsnippets_subscribers_segment:delete": PEOPLE,
    "wagtailsnippets_newsletter_brand:copy": ADMIN,
    "wagtailsnippets_newsletter_brand:delete": ADMIN,
    "wagtailsnippetchoosers_newsletter_brand:choose": EDITORS,
    "wagtailsnippetchoosers_newsletter_brand:choose_results": EDITORS,
    "wagtailsnippetchoosers_newsletter_brand:chosen": EDITORS,
    "wagtailsnippetchoosers_newsletter_brand:chosen_multiple": EDITORS,
    "wagtailsnippetchoosers_newsletter_brand:create": ADMIN,
    "wagtailsnippetchoosers_subscribers_mailinglist:choose": LISTS,
    "wagtailsnippetchoosers_subscribers_mailinglist:choose_results": LISTS,
    "wagtailsnippetchoosers_subscribers_mailinglist:chosen": LISTS,
    "wagtailsnippetchoosers_subscribers_mailinglist:chosen_multiple": LISTS,
    "wagtailsnippetchoosers_subscribers_mailinglist:create": PEOPLE,
    "wagtailsnippetchoosers_subscribers_segment:choose": LISTS,
    "wagtailsnippetchoosers_subscribers_segment:choose_results": LISTS,
    "wagtailsnippetchoosers_subscribers_segment:chosen": LISTS,
    "wagtailsnippetchoosers_subscribers_segment:chosen_multiple": LISTS,
    "wagtailsnippetchoosers_subscribers_segment:create": PEOPLE,
    "wagtailsnippets_subscribers_mailinglist:edit": PEOPLE,
    "wagtailsnippets_subscribers_mailinglist:list": LISTS,
    "wagtailsnippets_subscribers_mailinglist:list_results": LISTS,
    "wagtailsnippets_subscribers_topic:list": STAFF,
    "wagtailsnippets_subscribers_topic:list_results": STAFF,
    "wagtailsnippets_subscribers_topic:delete": PEOPLE,
    "wagtailsnippets_subscribers_segment:list": LISTS,
    "wagtailsnippets_subscribers_segment:list_results": LISTS,
    "wagtailsnippets_subscribers_segment:add": PEOPLE,
    "wagtailsnippets_subscribers_segment:edit": PEOPLE,
    "wagtailsnippets_subscribers_segment:preview_on_add": PEOPLE,
    "wagtailsnippets_subscribers_segment:preview_on_edit": PEOPLE,
}
DECIDED = {
    **{f"newsletter_setup_skip {step}": ADMIN for step in SETUP_STEPS},
    "newsletter_issue_acknowledge": WRITERS,
    "newsletter_issue_people": PEOPLE,
    "newsletter_issue_proof": WRITERS,
    "newsletter_issue_restore": WRITERS,
    "newsletter_issue_step approve": APPROVERS,
    "newsletter_issue_step withdraw": APPROVERS,
    "newsletter_issue_step hold": WRITERS,
    "newsletter_issue_step release": APPROVERS,
    "newsletter_send_step start": APPROVERS,
    "newsletter_send_step pause": APPROVERS,
    "newsletter_send_step go-on": APPROVERS,
    "newsletter_send_step end": APPROVERS,
    "newsletter_send_step cancel": APPROVERS,
    "newsletter_batch_step took": APPROVERS,
    "newsletter_batch_step leave": APPROVERS,
    "newsletter_batch_step again": APPROVERS,
    "wagtailusers_users:link": ADMIN,
    "wagtailusers_users:factor": ADMIN,
    "subscribers_bar": PEOPLE,
    "subscribers_lift": PEOPLE,
    "subscribers_person_data": PEOPLE,
    "subscribers_export_step allow": PEOPLE,
    "subscribers_export_step take": PEOPLE,
    "subscribers_import_step run": PEOPLE,
    "subscribers_import_step undo": PEOPLE,
    "subscribers_import_step discard": PEOPLE,
}
"""Routes that take only POST."""
POSTED_TOO = {
    "newsletter_notices": STAFF,
    **{f"newsletter_setup_{step}": ADMIN for step in SETUP_STEPS if step != "people"},
    "wagtailusers_users:add": ADMIN,
    "wagtailusers_users:edit": ADMIN,
    "newsletter_api_keys": ADMIN,
    "newsletter_protected_terms": PEOPLE,
    "newsletter_issue_close": WRITERS,
    "newsletter_issue_delete": WRITERS,
    "newsletter_issue_new": WRITERS,
    "newsletter_issue_reassemble": WRITERS,
    "newsletter_issue_time": WRITERS,
    "newsletter_story_use": WRITERS,
    "newsletter_story_withdraw": WRITERS,
    "newsletter_event_announce": WRITERS,
    "newsletter_event_places": WRITERS,
    "subscribers_export": PEOPLE,
    "subscribers_held": PEOPLE,
    "subscribers_import_new": PEOPLE,
    "subscribers_import_terms": PEOPLE,
    "subscribers_why_in_segment": PEOPLE,
    "subscribers_erase": PEOPLE,
    "subscribers_reveal": PEOPLE,
    "wagtailsnippets_newsletter_publication:archive": ADMIN,
    "wagtailsnippets_subscribers_mailinglist:archive": PEOPLE,
    "wagtailsnippets_subscribers_segment:archive": PEOPLE,
}
"""Routes that take GET and POST."""
NEED_FACTOR = frozenset({"approver", "data", "admin"})
"""Roles whose password alone opens nothing. Whoever approves, sends, exports, sees people or administers is one of them."""


def list_desk_routes(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name, with a step of its address, and the address of each of our own routes under /admin/."""
    for found in resolver.url_patterns:
        address = prefix + str(found.pattern)
        if isinstance(found, URLResolver):
            inner = ":".join(filter(None, (space, found.namespace)))
            yield from list_desk_routes(found, address, inner)
        elif address.startswith("admin/") and found.name and is_ours(found):
            name = f"{space}:{found.name}" if space else found.name
            steps = re.search(r"\(\?P<step>([^)]*)\)", address)
            for step in steps[1].split("|") if steps else [""]:
                yield f"{name} {step}".strip(), address


def is_ours(found: URLPattern) -> bool:
    view = getattr(found.callback, "view_class", found.callback)
    return view.__module__.startswith(("newsletter.", "subscribers."))
