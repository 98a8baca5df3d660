"""`tellback search`: find feedback, needs, themes and posts from a terminal."""

from typing import Annotated

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, say
from tellback.kernel.errors import Invalid

KINDS = ("feedback", "signal", "theme", "post")


def search(  # noqa: PLR0917 - each is an option of the command
    query: Annotated[str, typer.Argument(help="Words or a question; quotes and minus are taken literally.")],
    kind: Annotated[list[str] | None, typer.Option(help="feedback, signal, theme or post; several times.")] = None,
    source: Annotated[str, typer.Option(help="Source type: csv, email, …")] = "",
    plan: Annotated[str, typer.Option(help="Plan of who said it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many results.")] = 20,
    workspace: Annotated[str, typer.Option("--workspace", help="The workspace’s short name.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Search everything by words and by meaning, best first.

    Example: [bold]tellback search "works without a network" --kind feedback --json[/]
    """
    unknown = sorted(set(kind or ()) - set(KINDS))
    if unknown:
        raise Invalid(f"There is no kind “{unknown[0]}”. There are: {', '.join(KINDS)}.")
    with ready():
        from tellback.insights.results import search as find
        from tellback.insights.selectors import SearchFilter
        from tellback.platform.tenancy import in_workspace
        from tellback.understanding.engine import get_engine
        from tellback.workspaces.selectors import get_workspace_id

        workspace_id = get_workspace_id(workspace)
        get_engine()
        with in_workspace(workspace_id):
            wanted = SearchFilter(kinds=tuple(kind or ()), source=source, plan=plan)
            results = find(workspace_id=workspace_id, query=query, wanted=wanted, limit=limit)
            found = [
                {
                    "kind": one.kind,
                    "id": one.public_id,
                    "title": one.title.text,
                    "text": one.body.text,
                    "marks": [{"start": mark.start, "end": mark.end} for mark in one.body.marks],
                    "score": round(one.hit.score, 6),
                    "at": one.at.isoformat(),
                }
                for one in results.found
            ]
    if as_json:
        print_json({"query": query, "meaning": results.meant, "count": results.count, "results": found})
        return
    for one in found:
        typer.echo(f"{one['kind']:<9}{' '.join(filter(None, [str(one['title']), ' '.join(str(one['text']).split())]))}")
    if not found:
        say(f"Nothing says “{query}”.")
