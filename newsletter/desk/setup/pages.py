"""The frame of “Set up”: the overview, the base of each step's page, and skipping."""

from typing import ClassVar, cast

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.desk.setup.steps import (
    REQUIRED_PERMISSION,
    STEPS,
    Step,
    can_set_up,
    find_next_step,
    find_step,
    list_states,
    skip_step,
    take_up_step,
)
from subscribers.desk.person_actions import require_permission

OVERVIEW = "newsletter_setup"


class SetupOverview(StaffTemplatePage):
    template_name = "desk/setup/overview.html"
    page_title = gettext_lazy("Set up")
    header_icon = "tick-inverse"

    @classmethod
    def admits(cls, user: User | AnonymousUser) -> bool:
        return can_set_up(user)

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REQUIRED_PERMISSION)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        states = list_states()
        first = next((state.step for state in states if state.state == "open"), None)
        skipped = [state.step for state in states if state.state == "skipped"]
        return {**super().get_context_data(**kwargs), "states": states, "first": first, "skipped": skipped}


class StepPage(StaffTemplatePage):
    """The page of one step. A subclass names its step and its template, and handles POST."""

    step_slug: ClassVar[str]
    header_icon = "tick-inverse"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REQUIRED_PERMISSION)
        self.step = find_step(self.step_slug)
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return str(self.step.title)

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Set up"), reverse(OVERVIEW))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        upcoming = find_next_step(self.step)
        return {
            **super().get_context_data(**kwargs),
            "step": self.step,
            "number": STEPS.index(self.step) + 1,
            "steps": len(STEPS),
            "is_done": self.step.is_done(),
            "next_url": upcoming.url if upcoming else reverse(OVERVIEW),
        }

    def show(self, **context: object) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context))

    def go_on(self) -> HttpResponse:
        """Lead to the next open step, or to the overview."""
        take_up_step(self.step)
        return redirect_to_next(self.step)


@require_POST
def skip(request: HttpRequest, step: str) -> HttpResponse:
    """Skip a step and lead to the next."""
    require_permission(request, REQUIRED_PERMISSION)
    skipped_step = find_step(step)
    if not skipped_step.is_done():
        skip_step(step=skipped_step, by=cast(User, request.user), now=timezone.now())
    return redirect_to_next(skipped_step)


def redirect_to_next(step: Step) -> HttpResponse:
    upcoming = find_next_step(step)
    return redirect(upcoming.url if upcoming else reverse(OVERVIEW))
