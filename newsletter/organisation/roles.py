"""The roles of staff in words. The migration that makes the groups says what each may do."""

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
