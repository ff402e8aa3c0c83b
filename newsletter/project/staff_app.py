"""Wagtail's app for user accounts, with the desk's own list of staff."""

from wagtail.users.apps import WagtailUsersAppConfig


class StaffConfig(WagtailUsersAppConfig):
    user_viewset = "newsletter.desk.staff.staff_list.StaffViewSet"
