"""`tellback config`: every setting, its value and where it came from; checking them before a start."""

import difflib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellback.cli.environment import read_options, ready, unsafe_settings
from tellback.cli.output import AsJson, print_json, print_rows, say
from tellback.config.mail import mail_settings, provider_settings, variables_of
from tellback.config.options import Options, variable_of
from tellback.config.reference import example, reference
from tellback.kernel.errors import FieldError, Invalid, TellbackError
from tellback.platform.loop_config import Loaded, list_settings, load, value_of
from tellback.platform.loop_config.document import typed
from tellback.platform.loop_config.reading import listed, shown

if TYPE_CHECKING:
    from tellback.workspaces.models import Workspace

app = typer.Typer(help="Show and check the settings.", no_args_is_help=True)

COLUMNS = {"name": "Setting", "value": "Value", "origin": "From"}
#: Variables that our own processes hand to each other.
INTERNAL = {"TELLBACK_EMBEDDED_URL", "TELLBACK_MADE_KEY", "TELLBACK_DB_AS_OWNER", "TELLBACK_DEBUG"}

Slug = Annotated[str, typer.Option("--workspace", "-w", help="Short name of the workspace.")]


@app.command("show")
def show(
    workspace: Annotated[
        str, typer.Option("--workspace", "-w", help="Also what this workspace has set for itself.", show_default=False)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Every setting with its value and where it came from: a default, a line of the file, a variable, a workspace.

    Secrets are masked. With --json also what each does.

    Example: [bold]tellback config show --workspace default[/]
    """
    rows = list(_option_rows(read_options()))
    if workspace:
        with ready(), _acting_in(workspace) as found:
            from tellback.workspaces.loop_settings import with_workspace

            rows += _loop_rows(with_workspace(load(os.environ), found))
            rows += _workspace_rows(found)
    else:
        rows += _loop_rows(load(os.environ))
    print_rows(rows, columns=COLUMNS, empty="", as_json=as_json)


@app.command("check")
def check(
    production: Annotated[bool, typer.Option("--production", help="Also what production insists on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Whether the settings are valid. Exit code 3 when something is wrong, naming it with its file and line.

    Example: [bold]TELLBACK_CONFIG=feedback-loop.config.yaml tellback config check[/]
    """
    problems = _problems(production=production)
    notes = [] if problems else list(_notes())
    if as_json:
        print_json(
            {
                "ok": not problems,
                "problems": [{"name": one.pointer, "detail": one.detail} for one in problems],
                "notes": [{"name": one.pointer, "detail": one.detail} for one in notes],
            }
        )
    else:
        for one in [*problems, *notes]:
            say(f"{one.pointer}: {one.detail}")
        if not problems:
            say("The settings are valid.")
    if problems:
        raise typer.Exit(3)


@app.command("example")
def show_example() -> None:
    """A configuration file with every key, its default and what it does.

    Example: [bold]tellback config example > feedback-loop.config.yaml[/]
    """
    typer.echo(example(), nl=False)


@app.command("reference", hidden=True)
def show_reference() -> None:
    """The page docs/reference/configuration.md, as this version has it."""
    typer.echo(reference(), nl=False)


@app.command("set")
def set_for_workspace(
    name: Annotated[str, typer.Argument(help="Dotted name, see: config show", show_default=False)],
    value: Annotated[str, typer.Argument(help="What it is to be.", show_default=False)],
    workspace: Slug = "default",
) -> None:
    """Set a key for one workspace, in place of the installation's value.

    Example: [bold]tellback config set notifications.delay_minutes 0 --workspace default[/]
    """
    with ready(), _acting_in(workspace) as found:
        from tellback.workspaces.loop_settings import set_loop_setting

        is_list = any(setting.is_list for setting in list_settings() if setting.name == name)
        set_loop_setting(workspace=found, name=name, value=listed(value) if is_list else typed(value), actor=None)
    say(f"{name} is {value} in the workspace {workspace}.")


@app.command("unset")
def unset_for_workspace(
    name: Annotated[str, typer.Argument(help="Dotted name, see: config show", show_default=False)],
    workspace: Slug = "default",
) -> None:
    """Let the installation's value hold again for a workspace."""
    with ready(), _acting_in(workspace) as found:
        from tellback.workspaces.loop_settings import unset_loop_setting

        unset_loop_setting(workspace=found, name=name, actor=None)
    say(f"{name} is as the installation has it in the workspace {workspace}.")


class _acting_in:
    """Acts in the workspace of this short name. Raises `NotFound`."""

    def __init__(self, slug: str) -> None:
        self.slug = slug

    def __enter__(self) -> "Workspace":
        from tellback.platform.tenancy import in_workspace
        from tellback.workspaces.models import Workspace
        from tellback.workspaces.selectors import get_workspace_id

        self.inside = in_workspace(get_workspace_id(self.slug))
        self.inside.__enter__()
        return Workspace.objects.get()

    def __exit__(self, *error: Any) -> None:
        self.inside.__exit__(*error)


def _problems(*, production: bool) -> list[FieldError]:
    try:
        options = read_options()
    except Invalid as error:
        return list(error.errors) or [FieldError("environment", error.detail)]
    found = unsafe_settings(options) if production else []
    try:
        load(os.environ)
    except TellbackError as error:
        found += error.errors or [FieldError("TELLBACK_CONFIG", error.detail)]
    try:
        if options.mail_url:
            mail_settings(options.mail_url.get_secret_value())
    except TellbackError as error:
        found.append(FieldError("TELLBACK_MAIL_URL", error.detail))
    return found + [FieldError(name, hint) for name, hint in _unknown_variables()]


def _notes() -> Iterator[FieldError]:
    """What is valid and yet not what somebody may expect of it."""
    options, config = read_options(), load(os.environ).config
    mail, ticketing = config.notifications, config.ticketing
    if options.mail_url:
        scheme = options.mail_url.get_secret_value().partition(":")[0]
        if mail.provider and not scheme.startswith(mail.provider):
            yield FieldError("notifications.provider", f"is {mail.provider}; TELLBACK_MAIL_URL sends by {scheme}")
    elif mail.provider == "smtp":
        yield FieldError("notifications.provider", "mail is kept, not sent, until TELLBACK_MAIL_URL names the server")
    elif mail.provider and provider_settings(mail.provider, os.environ) is None:
        missing = " and ".join(variables_of(mail.provider))
        yield FieldError("notifications.provider", f"mail is kept, not sent, until {missing} is set")
    if ticketing.provider and not ticketing.webhook_url:
        yield FieldError("ticketing.provider", "no tickets are made until ticketing.webhook_url says where to")


def _unknown_variables() -> Iterator[tuple[str, str]]:
    """Variables that look like ours and are not, with the nearest that is."""
    known = {variable_of(name) for name in Options.model_fields} | INTERNAL
    known |= {setting.variable for setting in list_settings() if setting.variable}
    known |= {f"{name}_FILE" for name in known}
    for name in sorted(os.environ):
        if name.startswith("TELLBACK_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            yield name, f"is not a setting{f'; did you mean {near[0]}?' if near else ''}"


def _option_rows(options: Options) -> Iterator[dict[str, Any]]:
    for field, info in Options.model_fields.items():
        name = variable_of(field)
        file = os.environ.get(f"{name}_FILE")
        origin = "environment" if name in os.environ else f"file {file}" if file else "default"
        yield {
            "name": name,
            "value": _plain(getattr(options, field)),
            "origin": origin,
            "description": info.description or "",
        }


def _loop_rows(loaded: Loaded) -> Iterator[dict[str, Any]]:
    for setting in list_settings():
        yield {
            "name": setting.name,
            "value": _plain(value_of(loaded.config, setting.path)),
            "origin": loaded.origins.get(setting.name, "default"),
            "description": setting.description,
        }


def _workspace_rows(workspace: "Workspace") -> Iterator[dict[str, Any]]:
    from tellback.intake.policy import SETTING, policy_of

    policy = policy_of(workspace.id, workspace.settings)
    stored = workspace.settings.get(SETTING) or {}
    said = {
        "vault": (policy.seals, "Whether what is taken out of feedback is kept, sealed"),
        "patterns": ([pattern.name for pattern in policy.patterns], "The workspace's own patterns of private data"),
    }
    for name, (value, description) in said.items():
        yield {
            "name": f"{SETTING}.{name}",
            "value": value,
            "origin": f"workspace {workspace.slug}" if name in stored else "default",
            "description": description,
        }


def _plain(value: object) -> Any:
    value = shown(value)
    return value if value is None or isinstance(value, bool | int | float | list) else str(value)
