"""`tellback replay`: derive signals and themes anew into a shadow, look at the difference, adopt or discard it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, say
from tellback.kernel.errors import Invalid

if TYPE_CHECKING:
    from tellback.themes.models import Replay

app = typer.Typer(help="Derive signals and themes anew, look at the difference, adopt or discard it.")

WAITING = 4
#: Progress is told every so many steps.
STEPS = 10
Slug = Annotated[str, typer.Option("--workspace", help="The workspace’s short name.")]
Most = Annotated[int, typer.Option("--examples", min=0, help="Show at most so many examples of each kind.")]


@app.callback(invoke_without_command=True)
def replay(  # noqa: PLR0917 - each is an option of the command
    context: typer.Context,
    engine: Annotated[str, typer.Option(help="local or openai; the workspace’s own when left out.")] = "",
    prompt_version: Annotated[str, typer.Option(help="Version of the prompts; the present one when left out.")] = "",
    since: Annotated[str, typer.Option(help="Only what arrived from this day on: 2026-11-01.")] = "",
    workspace: Slug = "default",
    most: Most = 20,
    as_json: AsJson = False,
) -> None:
    """Read the feedback again into a shadow, and report what would change. Nothing changes before you adopt it.

    Stop it whenever you like: the same command goes on where it was.

    Example: [bold]tellback replay --engine local --since 2026-11-01[/]
    """
    if context.invoked_subcommand is not None:
        return
    first = _day(since) if since else None
    with ready():
        from django.utils import timezone

        from tellback.themes.replay.services import begin_replay

        workspace_id, own = _workspace(workspace)
        begun = begin_replay(
            workspace_id=workspace_id,
            engine=engine or own,
            prompt_version=prompt_version,
            since=first,
            now=timezone.now(),
        )
        _work(workspace_id, begun)
        _report(workspace_id, begun, most=most, as_json=as_json)
    if begun.waits:
        say(f"{begun.waits}. The replay waits; the same command goes on where it was.")
        raise typer.Exit(WAITING)


@app.command("show")
def show(workspace: Slug = "default", most: Most = 20, as_json: AsJson = False) -> None:
    """The replay that is under way: how far it is, and the difference once it is known.

    Example: [bold]tellback replay show --json[/]
    """
    with ready():
        from tellback.platform.tenancy import in_workspace
        from tellback.themes.replay.services import get_replay

        workspace_id, _own = _workspace(workspace)
        with in_workspace(workspace_id):
            found = get_replay()
        _report(workspace_id, found, most=most, as_json=as_json)


@app.command("adopt")
def adopt(workspace: Slug = "default", as_json: AsJson = False) -> None:
    """Take the shadow over: its signals and themes replace those of now. If it is interrupted, say it again.

    Example: [bold]tellback replay adopt[/]
    """
    with ready():
        from django.utils import timezone

        from tellback.themes.replay.services import adopt_replay

        workspace_id, _own = _workspace(workspace)
        taken = adopt_replay(workspace_id=workspace_id, actor=None, now=timezone.now())
        _work(workspace_id, taken)
        figures = taken.figures
    if as_json:
        print_json({"state": taken.state, **figures})
    else:
        say("Adopted. Themes keep their addresses; figures follow within a minute while a worker runs.")


@app.command("discard")
def discard(workspace: Slug = "default", as_json: AsJson = False) -> None:
    """Throw the shadow away. What is shown stays as it is.

    Example: [bold]tellback replay discard[/]
    """
    with ready():
        from django.utils import timezone

        from tellback.themes.replay.services import discard_replay

        workspace_id, _own = _workspace(workspace)
        dropped = discard_replay(workspace_id=workspace_id, actor=None, now=timezone.now())
    if as_json:
        print_json({"state": dropped.state})
    else:
        say("Discarded. Nothing has changed.")


def _day(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“{text}” is not a day. Write it like 2026-11-01.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _workspace(slug: str) -> tuple[UUID, str]:
    """The workspace's id, and the name of the engine it uses."""
    from tellback.platform.tenancy import in_workspace
    from tellback.understanding.language_model.choices import get_choices
    from tellback.workspaces.selectors import get_workspace_id

    workspace_id = get_workspace_id(slug)
    with in_workspace(workspace_id):
        return workspace_id, get_choices(workspace_id).engine


def _work(workspace_id: UUID, replay: "Replay") -> None:
    """Do what is left to do by itself, telling how far it is now and then."""
    from django.utils import timezone

    from tellback.platform.tenancy import in_workspace
    from tellback.themes.replay.services import WORKING, go_on

    step = 0
    while replay.state in WORKING:
        goes_on = go_on(workspace_id=workspace_id, replay_id=replay.pk, now=timezone.now())
        with in_workspace(workspace_id):
            replay.refresh_from_db()
        step += 1
        if step % STEPS == 0 and goes_on:
            say(_progress(replay))
        if not goes_on:
            return


def _progress(replay: "Replay") -> str:
    from tellback.themes.models import ReplayState

    if replay.state == ReplayState.WORDING:
        return f"{replay.get_state_display()}: theme {replay.named}"
    return f"{replay.get_state_display()}: {replay.done_count} of {replay.item_count} items"


def _report(workspace_id: UUID, replay: "Replay", *, most: int, as_json: bool) -> None:
    from tellback.platform.tenancy import in_workspace
    from tellback.themes.models import ReplayState
    from tellback.themes.replay.report import head, report

    with in_workspace(workspace_id):
        found = report(replay, most=most) if replay.state == ReplayState.READY else head(replay)
    if as_json:
        print_json(found)
        return
    _print(found)
    if replay.state == ReplayState.READY:
        say("Nothing has changed yet. Take it over with “tellback replay adopt”, or “tellback replay discard”.")


def _print(found: dict[str, Any]) -> None:
    items, cost = found["items"], found["cost"]
    typer.echo(f"{found['engine']} engine, {found['model']}, prompts {found['prompt_version']}: {found['state']}")
    typer.echo(f"Items      {items['done']} of {items['all']} done, {items['skipped']} could not be read")
    typer.echo(f"Cost       {cost['input_tokens']} tokens in, {cost['output_tokens']} out")
    if "signals" not in found:
        return
    signals, themes = found["signals"], found["themes"]
    changed = ", ".join(f"{name.removesuffix('_id').replace('_', ' ')} {n}" for name, n in signals["changed"].items())
    typer.echo(f"Signals    {signals['before']} now, {signals['after']} then: +{signals['gained']} −{signals['lost']}")
    typer.echo(f"Changed    {changed}")
    typer.echo(
        f"Themes     {themes['signals_moved']} signals move, {themes['new']} new, {themes['left_empty']} left empty, "
        f"{themes['titles_changed']} titles change"
    )
    for one in found["moves"]:
        typer.echo(f"  move     {one['signals']} from “{one['from']}” to “{one['to']}”")
    for one in found["titles"]:
        typer.echo(f"  title    “{one['before']}” becomes “{one['after']}”")
    for one in found["new_themes"]:
        typer.echo(f"  new      “{one['title']}” ({one['signals']} signals)")
    for title in found["emptied_themes"]:
        typer.echo(f"  empty    “{title}”")
    for mark, listed in (("+", found["gained"]), ("−", found["lost"])):
        for one in listed:
            typer.echo(f"  {mark}        {one['summary']} ({one['type'].replace('_', ' ')}, {one['item']})")
