"""Names and permissions of saved blocks and templates: rename and delete them."""

from django.contrib.auth.models import User

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.models import SavedRow

MAX_NAME_LENGTH = 100


def require_editor(by: User) -> None:
    """Raise NotAllowed if the person may not edit issues."""
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed("%(by)s may not edit issues. An administrator can give the role “writer” or “editor”.", by=by)


def require_free_name(model: type[SavedRow], name: str, *, except_for: int = 0) -> str:
    """Return the name without spaces around it. Raises NotReady if it is empty, WrongState if it is in use."""
    name = name.strip()[:MAX_NAME_LENGTH]
    if not name:
        raise NotReady("Give it a name, so that others find it. Nothing was saved.")
    if model._default_manager.filter(name=name).exclude(pk=except_for).exists():
        raise WrongState("“%(name)s” is there already. Choose another name. Nothing was saved.", name=name)
    return name


def rename_saved(*, row: SavedRow, name: str, by: User) -> None:
    """Give a saved block or template another name. Raises NotAllowed, NotReady, WrongState."""
    require_editor(by)
    row.name = require_free_name(type(row), name, except_for=row.pk)
    row.save(update_fields=["name"])


def delete_saved(*, row: SavedRow, by: User) -> None:
    """Delete a saved block or template. Issues that were made with it stay as they are. Raises NotAllowed."""
    require_editor(by)
    row.delete()
