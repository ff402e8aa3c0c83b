"""The roles of staff and their labels. Migration `0002_roles_and_staff_log` gives each role its permissions."""

from typing import Literal, get_args

Role = Literal["writer", "editor", "approver", "data", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

ROLE_LABELS: dict[Role, str] = {
    "writer": "edits issues, stories and events",
    "editor": "a writer who also adds and removes content, appeals and sources",
    "approver": "an editor who also approves issues and sends them",
    "data": "manages people: lists, segments, imports, exports, erasure, protected terms",
    "admin": "everything, including brands, publications and staff",
}
