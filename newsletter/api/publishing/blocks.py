"""API calls about the blocks of a draft. Those of own words are written; every block is moved or deleted."""

from django.http import HttpRequest
from ninja import Status
from wagtail import blocks

from newsletter.api.calls.access import ApiKeyAuth
from newsletter.api.publishing.drafting import edit_draft, find_issue_by_id, show_issue
from newsletter.api.publishing.receipts import router
from newsletter.api.publishing.schemas import BlockChange, BlockTypes, IssueAnswer, NewBlock, OwnType, Part
from newsletter.issues.planning.edit_blocks import (
    add_block,
    change_block,
    delete_block,
    list_own_types,
    move_block,
    replace_part,
)
from newsletter.models import ApiScope, Issue

READING, WRITING = ApiKeyAuth(ApiScope.ISSUES_READ), ApiKeyAuth(ApiScope.ISSUES_WRITE)


@router.get("block-types", auth=READING, response=BlockTypes, summary="List the blocks of own words")
def block_types(request: HttpRequest) -> BlockTypes:
    """Return the types that `POST issues/{issue}/blocks` takes, each with its fields."""
    return BlockTypes(types=[_describe(kind, block) for kind, block in list_own_types(Issue()).items()])


def _describe(kind: str, block: blocks.Block) -> OwnType:
    children: dict[str, blocks.Block] = getattr(block, "child_blocks", {})
    listed = {name: getattr(child, "child_block", None) for name, child in children.items()}
    rows = {name: list(item.child_blocks) for name, item in listed.items() if isinstance(item, blocks.StructBlock)}
    return OwnType(type=kind, label=str(block.label), fields=list(children), rows=rows)


@router.post("issues/{int:issue}/blocks", auth=WRITING, response={201: IssueAnswer}, summary="Add a block")
def add(request: HttpRequest, issue: int, data: NewBlock) -> Status[IssueAnswer]:
    """Add a block of own words to a draft. 409 once it is approved. Its texts keep only the markup of the editor."""
    with edit_draft(request, issue, fields=["body"]) as row:
        add_block(row, kind=data.type, value=data.value, after=data.after)
    return Status(201, show_issue(find_issue_by_id(request, issue)))


@router.patch(
    "issues/{int:issue}/blocks/{str:block}", auth=WRITING, response=IssueAnswer, summary="Change or move a block"
)
def change(request: HttpRequest, issue: int, block: str, data: BlockChange) -> IssueAnswer:
    """Replace fields of a block of own words, or move any block. `If-Match` has the ETag of `GET issues/{issue}`."""
    with edit_draft(request, issue, fields=["body"]) as row:
        if data.value is not None:
            change_block(row, block=block, value=data.value)
        if data.after is not None:
            move_block(row, block=block, after=data.after)
    return show_issue(find_issue_by_id(request, issue))


@router.delete(
    "issues/{int:issue}/blocks/{str:block}", auth=WRITING, response={204: None}, summary="Delete a block of a draft"
)
def delete(request: HttpRequest, issue: int, block: str) -> Status[None]:
    """Delete any block. The draft's earlier revisions keep it. `If-Match` has the ETag of `GET issues/{issue}`."""
    with edit_draft(request, issue, fields=["body"]) as row:
        delete_block(row, block=block)
    return Status(204, None)


@router.put(
    "issues/{int:issue}/parts/{slug:part}", auth=WRITING, response=IssueAnswer, summary="Set the blocks of a part"
)
def set_part(request: HttpRequest, issue: int, part: str, data: Part) -> IssueAnswer:
    """Write the blocks that you keep in a draft under a name of yours, all at once and as one revision.

    The first time they are added at the end. Later calls replace them where they are; other blocks stay. Changes that
    staff made in the part are replaced too; send `If-Match` to be refused then. The same call again gives the same blocks.
    """
    with edit_draft(request, issue, fields=["body"]) as row:
        replace_part(row, part=part, blocks=[(block.type, block.value) for block in data.blocks])
    return show_issue(find_issue_by_id(request, issue))
