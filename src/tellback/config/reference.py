"""The reference of all settings, made from the tables of options and keys: `python -m tellback.config.reference`.

Without `--write` it says whether docs/reference/configuration.md is what this version has; with it, it writes the page.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic_core import PydanticUndefined

from tellback.config.options import Options, variable_of
from tellback.platform.loop_config.reading import FILE_NAME
from tellback.platform.loop_config.table import Alert, Setting, list_settings

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"

_INTRODUCTION = f"""\
# Configuration

Made from the code by `make schemas`; `make check` refuses a page that is not current.

Every setting has a default that is right for one machine. A value comes from, the later before the earlier:

1. its default, below;
2. `{FILE_NAME}`, the file that `TELLBACK_CONFIG` names;
3. a variable of the environment, or `<NAME>_FILE`, which names a file that holds the value (for mounted secrets);
4. for the keys so marked, what a workspace has set: `tellback config set NAME VALUE --workspace NAME`.

`tellback config show` prints each value and where it came from, `tellback config check` finds mistakes before a start
and names the file and the line of each, `tellback config example` prints the file below. Settings are read when a
process starts; what a workspace sets holds at once.

## The environment

| variable | default | |
| --- | --- | --- |
"""

_FILE = f"""
## {FILE_NAME}

Document 1's template works as it is printed, also with its indentation lost; `schema` may stand inside `ingestion`,
and `ticketing` inside `routing`. `${{NAME}}` is replaced from the environment (or from the file that `NAME_FILE`
names), `${{NAME:-default}}` has a default, `$${{` is a plain `${{`. Tags, anchors, aliases, a second document and names
that are there twice are refused, and so is a key that does not exist, with the nearest that does.

| key | takes | default | variable | |
| --- | --- | --- | --- | --- |
"""

_EXAMPLE = "\n¹ A workspace may set it for itself.\n\nThe file with every key at its default:\n\n```yaml\n"


def reference() -> str:
    """The page, in Markdown."""
    options = "".join(f"{row}\n" for row in _option_rows())
    keys = "".join(f"{_row(setting)}\n" for setting in list_settings())
    return f"{_INTRODUCTION}{options}{_FILE}{keys}{_EXAMPLE}{example()}```\n"


def example() -> str:
    """The file with every key, its default, and what it does."""
    lines = [f"# {FILE_NAME}"]
    sections: tuple[str, ...] = ()
    for setting in list_settings():
        *within, name = setting.path
        for depth, section in enumerate(within):
            if sections[: depth + 1] != tuple(within[: depth + 1]):
                lines.append(f"{'  ' * depth}{section}:" if depth else f"\n{section}:")
        sections = tuple(within)
        indent = "  " * len(within)
        lines.append(f"{indent}# {setting.description}. Takes {setting.kind}.")
        lines += [f"{indent}{line}" for line in _as_yaml(name, setting.default)]
    return "\n".join(lines) + "\n"


def _as_yaml(name: str, default: object) -> Iterator[str]:
    if default is None:
        yield f"# {name}:"
    elif isinstance(default, tuple) and default and isinstance(default[0], Alert):
        yield f"{name}:"
        for alert in default:
            yield f"  - metric: {alert.metric}"
            yield f"    threshold: {alert.threshold:g}"
            yield f"    severity: {alert.severity}"
    elif isinstance(default, tuple):
        yield f"{name}: {json.dumps(default)}"
    elif isinstance(default, bool):
        yield f"{name}: {str(default).lower()}"
    else:
        yield f"{name}: {default}"


def _option_rows() -> Iterator[str]:
    for name, field in Options.model_fields.items():
        default = "" if field.default in {None, PydanticUndefined} else f"`{field.default}`"
        yield f"| `{variable_of(name)}` | {default} | {_cell(field.description or '')} |"


def _row(setting: Setting) -> str:
    mark = "¹" if setting.per_workspace else ""
    variable = f"`{setting.variable}`" if setting.variable else ""
    cells = (f"`{setting.name}`{mark}", setting.kind, _default(setting.default), variable, setting.description)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _default(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, tuple):
        said = [f"{one.metric} ≥ {one.threshold:g}" if isinstance(one, Alert) else str(one) for one in default]
        return f"`{', '.join(said)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(arguments: Sequence[str]) -> int:
    """0 when the page is current, else 1 with what to do about it."""
    if "--write" in arguments:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(reference(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == reference():
        return 0
    sys.stdout.write("docs/reference/configuration.md is not what the settings are. Write it with: make schemas\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
