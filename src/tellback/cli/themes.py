"""`tellback themes`: look after the themes from the command line."""

from typing import Annotated

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, say

app = typer.Typer(help="Look after the themes.", no_args_is_help=True)


@app.callback()
def themes() -> None:
    """Look after the themes."""


@app.command("upkeep")
def upkeep(
    workspace: Annotated[str, typer.Option("--workspace", help="The workspace’s short name.")] = "default",
    accept: Annotated[bool, typer.Option("--accept", help="Carry out what is proposed, without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look now for what would make the themes better, and list it. Nothing moves unless you say --accept.

    What is carried out can be taken back under Proposals.

    Example: [bold]tellback themes upkeep[/]
    """
    with ready():
        from django.utils import timezone

        from tellback.platform.tenancy import in_workspace
        from tellback.themes import upkeep as keeping
        from tellback.understanding.engine import get_engine
        from tellback.workspaces.selectors import get_workspace_id

        workspace_id, now = get_workspace_id(workspace), timezone.now()
        with in_workspace(workspace_id):
            keeping.count_all_anew(workspace_id=workspace_id)
            proposals = keeping.propose_changes(workspace_id=workspace_id, engine=get_engine(), now=now)
            listed = [
                {
                    "id": change.public_id,
                    "kind": change.kind,
                    "theme": change.theme.title,
                    "into": change.into_theme.title if change.into_theme else None,
                    "title": change.title,
                    "signals": len(change.moves) or change.theme.signal_count,
                    "reason": change.reason,
                }
                for change in proposals
            ]
            done = keeping.accept_all(proposals=proposals, now=now) if accept else 0
    if as_json:
        print_json({"proposals": listed, "done": done})
        return
    for one in listed:
        into = f" into “{one['into']}”" if one["into"] else ""
        say(f"{str(one['kind']).capitalize()} “{one['theme']}”{into}. {one['reason']}")
    say(
        f"{len(listed)} proposed, {done} carried out." if accept else f"{len(listed)} proposed. Decide under Proposals."
    )
