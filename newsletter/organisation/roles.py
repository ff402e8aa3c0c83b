"""The roles of staff, in words. What each may do is in the migration that makes the groups of the same names."""

from typing import Literal, get_args

Role = Literal["writer", "editor", "approver", "data", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

ROLE_LABELS: dict[Role, str] = {
    "writer": "edits issues, stories and events",
    "editor": "adds and removes content, appeals and sources too",
    "approver": "an editor who also approves issues and sends them",
    "data": "looks after the people: lists, segments, imports, exports",
    "admin": "all of these, and the brand, publications and staff",
}
