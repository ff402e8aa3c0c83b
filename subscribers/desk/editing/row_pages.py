"""The titles and messages of the pages that add, edit and delete a row, in place of Wagtail’s “Story '…' created.”"""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.snippets.views.snippets import DeleteView

from newsletter.common.staff_pages import make_breadcrumbs


class AddedMessage:
    def get_success_message(self, instance: Any) -> str:
        return _("“%(row)s” is added.") % {"row": instance}


class AddRowMixin(AddedMessage):
    """For create views. ``add_title`` is the title of the page, such as “Add a story”."""

    add_title: ClassVar[str | Promise]

    def get_page_title(self) -> str:
        return str(self.add_title)

    def get_page_subtitle(self) -> str:
        return ""

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        *before, _last = super().get_breadcrumbs_items()  # type: ignore[misc]
        return [*before, {"url": "", "label": self.get_page_title()}]


class EditRowMixin:
    """For edit views. Their title names the kind of row, because a list and its publication often have one name."""

    object: Any

    def get_page_title(self) -> str:
        return _("Edit %(kind)s") % {"kind": self.object._meta.verbose_name}

    def get_success_message(self) -> str | None:
        return _("“%(row)s” is saved.") % {"row": self.object}


class DeleteRowMixin:
    """For delete views. Wagtail's have no path, and so a heading of another size than those of all other pages."""

    object: Any
    index_url_name: str
    edit_url_name: str

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        rows = capfirst(str(self.object._meta.verbose_name_plural))
        edit = reverse(self.edit_url_name, args=[self.object.pk])
        return make_breadcrumbs((rows, reverse(self.index_url_name)), (str(self.object), edit), (_("Delete"), ""))

    def get_success_message(self) -> str:
        return _("“%(row)s” is deleted.") % {"row": self.object}


class DeleteRow(DeleteRowMixin, DeleteView):
    def get_page_title(self) -> str:
        return _("Delete %(kind)s") % {"kind": self.object._meta.verbose_name}

    def list_consequences(self) -> list[str]:
        """Return what deleting the row does, in sentences."""
        return []
