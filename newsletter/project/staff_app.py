"""Wagtail's rooms for users, with the desk's own list of them."""

from wagtail.users.apps import WagtailUsersAppConfig


class StaffConfig(WagtailUsersAppConfig):
    user_viewset = "newsletter.desk.staff.staff_list.StaffViewSet"
