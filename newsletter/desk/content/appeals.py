"""Appeals in the desk: the list and the editor."""

from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.snippets.views.snippets import EditView, SnippetViewSet

from newsletter.desk.content.choosers import AppealChooser
from newsletter.desk.editor.voided_approvals import VoidApprovalsMixin
from newsletter.models import Appeal
from subscribers.desk.listing import HOME_BREADCRUMB, DeskList


class AppealEditView(VoidApprovalsMixin, EditView):
    pass


class AppealViewSet(SnippetViewSet):
    model = Appeal
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = DeskList
    icon = "pick"
    menu_label = gettext_lazy("Appeals")
    menu_order = 130
    add_to_admin_menu = True
    base_url_path = "appeals"
    chooser_viewset_class = AppealChooser
    edit_view_class = AppealEditView
    search_fields = ["headline", "text"]
    search_backend_name = None
    list_filter = ["audience", "enabled"]
    list_display = [
        "headline",
        Column("audience", label=gettext_lazy("Audience"), accessor="get_audience_display"),
        Column("button", label=gettext_lazy("Button")),
        BooleanColumn("enabled", label=gettext_lazy("In use")),
    ]
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("headline"),
                FieldPanel("text"),
                FieldRowPanel([FieldPanel("button"), FieldPanel("link")]),
            ],
            heading=gettext_lazy("Content"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("audience"),
                FieldPanel(
                    "enabled",
                    heading=gettext_lazy("In use"),
                    help_text=gettext_lazy("If you turn this off, no issue shows it."),
                ),
                FieldPanel("slug", heading=gettext_lazy("Short name")),
            ],
            heading=gettext_lazy("Audience"),
        ),
    ]
