"""`tellback config`: every setting, its value and where it came from; checking them before a start."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from tellback.cli.environment import read_options, unsafe_settings
from tellback.cli.output import AsJson, print_json, print_rows, say
from tellback.config.options import Options, variable_of
from tellback.kernel.errors import FieldError, Invalid, TellbackError
from tellback.platform.loop_config import LoopConfig, flatten, parse_loop_config, read_document

app = typer.Typer(help="Show and check the settings.", no_args_is_help=True)

COLUMNS = {"name": "Setting", "value": "Value", "origin": "From"}


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Every setting with its value and where it came from. Secrets are masked.

    With --json also what each does.
    """
    rows = [*_option_rows(read_options()), *_loop_rows()]
    print_rows(rows, columns=COLUMNS, empty="", as_json=as_json)


@app.command("check")
def check(
    production: Annotated[bool, typer.Option("--production", help="Also what production insists on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Whether the settings are valid. Exit code 3 when something is wrong, naming it.

    Example: [bold]TELLBACK_CONFIG=feedback-loop.config.yaml tellback config check[/]
    """
    problems = _problems(production=production)
    if as_json:
        print_json({"ok": not problems, "problems": [{"name": one.pointer, "detail": one.detail} for one in problems]})
    elif not problems:
        say("The settings are valid.")
    for problem in [] if as_json else problems:
        say(f"{problem.pointer}: {problem.detail}")
    if problems:
        raise typer.Exit(3)


def _problems(*, production: bool) -> list[FieldError]:
    found: list[FieldError] = []
    try:
        options = read_options()
    except Invalid as error:
        return list(error.errors)
    if production:
        found += unsafe_settings(options)
    try:
        if options.config:
            parse_loop_config(read_document(options.config, environment=os.environ))
    except TellbackError as error:
        found += error.errors or [FieldError("TELLBACK_CONFIG", error.detail)]
    try:
        if options.mail_url:
            from tellback.config.mail import mail_settings

            mail_settings(options.mail_url.get_secret_value())
    except TellbackError as error:
        found.append(FieldError("TELLBACK_MAIL_URL", error.detail))
    return found + [FieldError(name, hint) for name, hint in _unknown_variables()]


def _unknown_variables() -> Iterator[tuple[str, str]]:
    """Variables that look like ours and are not, with the nearest that is."""
    import difflib

    known = {variable_of(name) for name in Options.model_fields} | {
        "TELLBACK_EMBEDDED_URL", "TELLBACK_MADE_KEY", "TELLBACK_DB_AS_OWNER", "TELLBACK_DEBUG",
    }  # fmt: skip
    known |= {f"{name}_FILE" for name in known}
    for name in sorted(os.environ):
        if name.startswith("TELLBACK_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            yield name, f"is not a setting{f'; did you mean {near[0]}?' if near else ''}"


def _option_rows(options: Options) -> Iterator[dict[str, Any]]:
    for field, info in Options.model_fields.items():
        name = variable_of(field)
        origin = "environment" if name in os.environ else "file" if f"{name}_FILE" in os.environ else "default"
        yield {
            "name": name,
            "value": _shown(getattr(options, field)),
            "origin": origin,
            "description": info.description or "",
        }


def _loop_rows() -> Iterator[dict[str, Any]]:
    path = Options().config
    document = read_document(path, environment=os.environ) if path else {}
    config: LoopConfig = parse_loop_config(document)
    for name, value in flatten(config):
        yield {
            "name": name,
            "value": _shown(value),
            "origin": str(path) if _is_set(document, name) else "default",
            "description": describe(name),
        }


def describe(dotted: str) -> str:
    """What a setting of document 1's file does."""
    model: Any = LoopConfig
    text = ""
    for part in dotted.split("."):
        for name, field in model.model_fields.items():
            if part in {name, field.alias}:
                text, model = field.description or "", field.annotation
                break
    return text


def _is_set(document: Any, dotted: str) -> bool:
    for part in dotted.split("."):
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return True


def _shown(value: object) -> Any:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    return value if value is None or isinstance(value, bool | int | float | list) else str(value)
