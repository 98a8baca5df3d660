"""What holds: defaults, then the file, then variables of the environment, then what a workspace has set.

Each value remembers where it came from, and each mistake names its file and line, or its variable.
"""

import difflib
import functools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from tellback.kernel.errors import FieldError, Invalid
from tellback.platform.loop_config.document import Document, Place, Shape, read_document, typed, variable
from tellback.platform.loop_config.table import LoopConfig, Setting, list_settings

FILE_NAME = "feedback-loop.config.yaml"
#: Sections that may also stand within another, as the template can be read.
ALSO_WITHIN = {"schema": "ingestion", "ticketing": "routing"}
_SENTENCES = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "missing": "is missing",
    "model_type": "must be a section with settings below it",
    "greater_than_equal": "must be {ge:,} or more",
    "less_than_equal": "must be {le:,} or less",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters or fewer",
    "too_long": "must have {max_length} entries or fewer",
    "string_pattern_mismatch": "has characters that do not belong there",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and where each value that is no default came from, by dotted name."""

    config: LoopConfig = field(default_factory=LoopConfig)
    origins: Mapping[str, str] = field(default_factory=dict)


@functools.cache
def get_loop_config() -> LoopConfig:
    """The configuration of this process. Raises `Invalid` naming each mistake."""
    return load(os.environ).config


def load(environment: Mapping[str, str]) -> Loaded:
    """What the environment, and the file that its TELLBACK_CONFIG names, say. Raises `Invalid`."""
    path = environment.get("TELLBACK_CONFIG")
    return read_loop_config(Path(path) if path else None, environment=environment)


def read_loop_config(path: Path | None, *, environment: Mapping[str, str]) -> Loaded:
    """What the file says, and the variables that go before it. Raises `Invalid` naming each mistake and its place."""
    document = Document(FILE_NAME)
    if path is not None:
        document = read_document(path, shape=shape_of(LoopConfig), environment=environment)
        _move_out(document)
    origins = {setting.name: _origin(document, setting) for setting in _set_in(document.values)}
    variables: dict[Place, str] = {}
    for setting, name, text in _variables(environment):
        _put(document.values, setting.path, listed(text) if setting.is_list else typed(text))
        variables[setting.path] = name
        origins[setting.name] = f"environment ({name})"
    return Loaded(_checked(document, variables), origins)


def with_overrides(loaded: Loaded, overrides: Mapping[str, object], *, origin: str) -> Loaded:
    """The configuration with some keys set otherwise, by dotted name. Raises `Invalid` for what cannot be."""
    if not overrides:
        return loaded
    document = Document(origin, loaded.config.model_dump(by_alias=True))
    known = {setting.name: setting for setting in list_settings()}
    for name, value in overrides.items():
        setting = find_setting(name)
        _put(document.values, known[setting.name].path, value)
    variables: dict[Place, str] = {tuple(name.split(".")): origin for name in overrides}
    return Loaded(_checked(document, variables), {**loaded.origins, **dict.fromkeys(overrides, origin)})


def find_setting(name: str) -> Setting:
    """The key of this dotted name. Raises `Invalid` with the nearest."""
    known = {setting.name: setting for setting in list_settings()}
    if name not in known:
        raise Invalid(f"{name} {_unknown(name, list(known))}")
    return known[name]


def shape_of(model: type[BaseModel]) -> Shape:
    """The names that a section knows, each with its own."""
    made: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        inner = info.annotation
        listed = (
            next((one for one in get_args(inner) if _is_section(one)), None) if get_origin(inner) is tuple else None
        )
        if _is_section(inner):
            made[info.alias or name] = shape_of(inner)  # type: ignore[arg-type]
        else:
            made[info.alias or name] = (shape_of(listed),) if listed else None
    return made


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _move_out(document: Document) -> None:
    """Bring sections that stand within another to the place where the table has them."""
    for name, outer in ALSO_WITHIN.items():
        within = document.values.get(outer)
        if not isinstance(within, dict) or name not in within:
            continue
        if document.values.get(name) is not None:
            first, second = document.line_of((name,)), document.line_of((outer, name))
            problem = f"{name} is there twice, also in line {first}. Keep one of them."
            raise Invalid(
                "The configuration file has mistakes:", errors=[FieldError(f"{document.name}:{second}", problem)]
            )
        document.values[name] = within.pop(name)
        document.lines.update({place[1:]: line for place, line in document.lines.items() if place[:2] == (outer, name)})
        document.variables.update(
            {place[1:]: names for place, names in document.variables.items() if place[:2] == (outer, name)}
        )


def _set_in(values: Mapping[str, Any]) -> Iterator[Setting]:
    for setting in list_settings():
        found: Any = values
        for part in setting.path:
            found = found.get(part, _ABSENT) if isinstance(found, dict) else _ABSENT
        if found is not _ABSENT:
            yield setting


_ABSENT = object()


def _origin(document: Document, setting: Setting) -> str:
    inside = [names for place, names in document.variables.items() if place[: len(setting.path)] == setting.path]
    used = sorted({name for names in inside for name in names})
    line = f"{document.name}:{document.line_of(setting.path)}"
    return f"{line} ({', '.join(used)})" if used else line


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[Setting, str, str]]:
    for setting in list_settings():
        if setting.variable is None:
            continue
        try:
            text = variable(setting.variable, environment)
        except OSError as error:
            raise Invalid(f"Cannot read the file that {setting.variable}_FILE names: {error.strerror}.") from error
        if text is not None:
            yield setting, setting.variable, text


def listed(text: str) -> list[str]:
    """The parts of a text, between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _put(values: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    values[path[-1]] = value


def _checked(document: Document, variables: Mapping[Place, str]) -> LoopConfig:
    """The typed configuration. Raises `Invalid` with every mistake."""
    try:
        return LoopConfig.model_validate(_without_empty(document.values))
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            place: Place = tuple(problem["loc"])
            about = variables.get(place) or f"{document.name}:{document.line_of(place)}"
            problems.append(FieldError(about, f"{_dotted(place)} {_explain(place, problem)}".strip()))
        raise Invalid("The configuration has mistakes:", errors=problems) from None


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without sections that are named and left empty."""
    sections = {setting.path[:depth] for setting in list_settings() for depth in range(1, len(setting.path))}

    def cleaned(inner: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        return {
            name: cleaned(value, (*path, name)) if isinstance(value, dict) else value
            for name, value in inner.items()
            if not (value is None and (*path, name) in sections)
        }

    return cleaned(values, ())


def _explain(place: Place, problem: Any) -> str:
    """What is wrong with a value, without the value: it may be a secret."""
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _unknown(str(place[-1]), _keys_beside(place))
    if kind == "literal_error":
        return _not_among(problem)
    if problem["input"] is None and kind != "missing":
        return "has no value; leave the line out for the default"
    said = _SENTENCES.get(kind)
    if said:
        return said.format(**(problem.get("ctx") or {}))
    return str(problem["msg"]).removeprefix("Value error, ").rstrip(".")


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"is not a setting; did you mean {near[0]}?" if near else "is not a setting"


def _not_among(problem: Any) -> str:
    expected = str(problem["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
    known = expected.split(", ")
    given = problem["input"]
    near = difflib.get_close_matches(given.lower(), known, n=1, cutoff=0.5) if isinstance(given, str) else []
    return f"must be one of {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")


def _keys_beside(place: Place) -> list[str]:
    shape: Any = shape_of(LoopConfig)
    known = list(shape)
    for part in place[:-1]:
        shape = shape[0] if isinstance(part, int) else shape.get(part)
        known = list(shape[0] if isinstance(shape, tuple) else shape)
    return known


def _dotted(place: Place) -> str:
    return ".".join(str(part) for part in place)


def shown(value: object) -> Any:
    """A value as it may be seen: secrets are masked."""
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    return value
