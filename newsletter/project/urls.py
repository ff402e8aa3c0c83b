"""Every route of the product."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.admin.auth import require_admin_access
from wagtail.admin.views.account import LogoutView

from newsletter.desk.pictures import logged_uploads
from newsletter.desk.pictures.library_chooser import library_chooser
from newsletter.desk.pictures.library_list import LibraryList
from newsletter.desk.pictures.library_pages import (
    AddPicture,
    DeletePicture,
    EditPicture,
    show_library_file,
)
from newsletter.desk.staff.account_page import AccountPage

handler400 = "newsletter.web.layers.bad_requests.show_bad_request"
handler404 = "newsletter.web.error_pages.show_not_found"
handler500 = "newsletter.web.error_pages.show_server_error"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    path("admin/login/", RedirectView.as_view(url="/accounts/login/", query_string=True)),
    path("admin/logout/", require_POST(LogoutView.as_view())),
    path("accounts/", include("newsletter.desk.staff.account_urls")),
    path("api/", include("newsletter.api.urls")),
    path("", include("newsletter.desk.shell.wagtail_urls")),
    path("admin/account/", require_admin_access(AccountPage.as_view())),
    path("admin/images/", require_admin_access(LibraryList.as_view())),
    path("admin/images/results/", require_admin_access(LibraryList.as_view(results_only=True))),
    path("admin/images/add/", require_admin_access(AddPicture.as_view())),
    path("admin/images/<int:image_id>/", require_admin_access(EditPicture.as_view())),
    path("admin/images/<int:image_id>/delete/", require_admin_access(DeletePicture.as_view())),
    path("admin/images/chooser/", require_admin_access(library_chooser.choose_view)),
    path("admin/images/chooser/results/", require_admin_access(library_chooser.choose_results_view)),
    path("admin/images/chooser/create/", require_admin_access(library_chooser.create_view)),
    path("admin/images/multiple/add/", require_admin_access(logged_uploads.LoggedPictureAdd.as_view())),
    path("admin/images/multiple/<int:image_id>/", require_admin_access(logged_uploads.LoggedPictureEdit.as_view())),
    path(
        "admin/images/multiple/<int:image_id>/delete/",
        require_admin_access(logged_uploads.LoggedPictureDelete.as_view()),
    ),
    path(
        "admin/images/multiple/create_from_uploaded_image/<int:uploaded_file_id>/",
        require_admin_access(logged_uploads.LoggedPictureCreate.as_view()),
    ),
    path("admin/media/<slug:folder>/<str:name>", require_admin_access(show_library_file)),
    path("admin/", include(wagtailadmin_urls)),
    path("", include("newsletter.web.urls")),
    path("", include("subscribers.web.urls")),
]
