"""Save the form of an issue's editor: over no version that it does not know, and under a lock of the issue."""

from django.db import transaction
from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name
from wagtail.models import Revision

from newsletter.desk.editor.locks import find_issue_lock
from newsletter.desk.editor.window_saves import WindowSave
from newsletter.desk.preview.panel import PreviewedEditView
from newsletter.models import Issue
from subscribers.desk.editing.row_pages import EditRowMixin

OUT_OF_DATE_MESSAGE = gettext_lazy(
    "%(who)s saved this issue after you opened it. Copy your text, reload the page and enter it again."
)
_OF_VERSION = ("latest_revision", "latest_revision_created_at", "is_out_of_date", "overwrite_revision")


class SavingEditView(EditRowMixin, PreviewedEditView):
    @cached_property
    def overwrite_revision(self) -> Revision | None:
        """Return the revision that an autosave may overwrite: never one whose content somebody approved."""
        revision: Revision | None = super().overwrite_revision
        if self.expects_json_response and self._find_earlier_save():
            is_own = self.latest_revision.user_id == self.request.user.pk
            revision = self.latest_revision if is_own else None
        if revision and self.object.approvals.filter(at__gte=revision.created_at).exists():
            return None
        return revision

    @cached_property
    def is_out_of_date(self) -> bool:
        """Return True if somebody else saved since. The form may not know the user's own latest autosave."""
        if (save := self.window_save) and (earlier := self._find_earlier_save()):
            if earlier.number > save.number:
                return True
            if self.expects_json_response:
                return False
        if not super().is_out_of_date or self.expects_json_response:
            return bool(super().is_out_of_date)
        loaded = parse_datetime(self.request.POST.get("loaded_revision_created_at", ""))
        if loaded is None:
            return True
        return bool(self.object.revisions.filter(created_at__gt=loaded).exclude(user=self.request.user).exists())

    @property
    def window_save(self) -> WindowSave | None:
        return WindowSave.from_form(self.request.POST)

    def _find_earlier_save(self) -> WindowSave | None:
        return self.window_save.find_earlier(self.latest_revision) if self.window_save else None

    def is_valid(self, form: object) -> bool:
        return not self._refuse_if_out_of_date() and bool(super().is_valid(form))

    def _refuse_if_out_of_date(self) -> bool:
        if self.is_out_of_date:
            self.produced_error_code = "invalid_revision"
            self.produced_error_message = OUT_OF_DATE_MESSAGE % {"who": self._find_other_author()}
        return self.is_out_of_date

    def _find_other_author(self) -> str:
        """Return who saved the latest version, or the user's own other window."""
        author = self.object.latest_revision.user
        if author == self.request.user:
            return _("You, in another window,")
        return str(user_display_name(author)) if author else _("The system")

    def form_valid(self, form: object) -> HttpResponse:
        """Save the form, unless the issue was saved or approved or its send began while the form was read."""
        with transaction.atomic():
            now = Issue.objects.select_for_update(of=("self",)).get(pk=self.object.pk)
            self._use_version_of(now)
            lock = find_issue_lock(now, request=self.request)
            if lock is not None:
                self.produced_error_code, self.produced_error_message = "locked", lock.get_message(self.request.user)
            is_refused = lock is not None or self._refuse_if_out_of_date()
            response: HttpResponse = self.form_invalid(form) if is_refused else super().form_valid(form)
        return response

    def _use_version_of(self, locked: Issue) -> None:
        """Forget the latest version that was read before the row was locked."""
        self.object.latest_revision = locked.latest_revision
        for name in _OF_VERSION:
            self.__dict__.pop(name, None)

    def save_instance(self) -> Issue:
        issue: Issue = super().save_instance()
        if self.window_save:
            self.window_save.record(self.new_revision)
        return issue
