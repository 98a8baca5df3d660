"""The file as YAML: read without trust, with the line of everything in it and the variables that it refers to.

Only what a settings file needs is taken: mappings, lists and single values. Tags, anchors, aliases, merge keys, several
documents and names that are there twice are refused, each with its line. `${NAME}` and `${NAME:-default}` are
replaced from the environment, `${NAME}` also from the file that `NAME_FILE` names, `$${` stands for `${` itself.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tellback.kernel.errors import FieldError, Invalid

MAX_BYTES = 65_536
MAX_DEPTH = 8
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}
_LOADER = yaml.SafeLoader

#: Where in the document something is: the names and indexes that lead to it.
Place = tuple[str | int, ...]
#: The names that a section knows; a list of sections stands in a tuple, a single value is None.
Shape = Mapping[str, Any]
Pair = tuple[yaml.Node, yaml.Node]


@dataclass(slots=True)
class Document:
    """What the file says: plain values, the line of each, and the variables that each was made from."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    variables: dict[Place, tuple[str, ...]] = field(default_factory=dict)

    def line_of(self, place: Place) -> int:
        """The line of a place, or of what it is in."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_document(path: Path, *, shape: Shape, environment: Mapping[str, str]) -> Document:
    """The file, read whole. Raises `Invalid` that names the file and the line of each mistake."""
    return _Reader(str(path), shape, environment).read(_text_of(path))


def typed(text: str) -> Any:
    """A single value as YAML understands it when it is not in quotes: none, true, a number, else the text itself."""
    loader: Any = _LOADER("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    if tag not in _PLAIN_TAGS:
        return text
    try:
        return loader.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, OverflowError):
        return text


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(f"Cannot read the file that TELLBACK_CONFIG names, {path}: {error.strerror}.") from error
    if len(content) > MAX_BYTES:
        raise Invalid(f"{path} is larger than {MAX_BYTES:,} bytes, so it is not a configuration file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Invalid(f"{path}:{line}: is not UTF-8. Save the file in that encoding.") from error


class _Reader:
    """Reads one text; gathers every mistake before it raises."""

    def __init__(self, name: str, shape: Shape, environment: Mapping[str, str]) -> None:
        self.document = Document(name)
        self.shape = shape
        self.environment = environment
        self.mistakes: list[FieldError] = []

    def read(self, text: str) -> Document:
        try:
            self._refuse_what_no_settings_need(text)
            root = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            raise self._broken(error, text) from error
        if root is None or _is_empty(root):
            return self.document
        if not isinstance(root, yaml.MappingNode):
            raise Invalid(
                f"{self.document.name}:1: must begin with section names such as ingestion: and notifications:"
            )
        pairs = _indented(list(root.value), self.shape)
        self.document.values = self._mapping(pairs, ())
        self._raise_mistakes()
        return self.document

    def _refuse_what_no_settings_need(self, text: str) -> None:
        """Look at the stream before anything is built of it, so that nothing in it can grow."""
        depth = documents = 0
        event: Any
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent):
                self._note(line, f"refers to *{event.anchor}. Aliases are not taken here; write the value out.")
            elif getattr(event, "anchor", None):
                self._note(line, f"has the anchor &{event.anchor}. Anchors are not taken here; leave it out.")
            elif getattr(event, "tag", None):
                self._note(line, f"has the tag {event.tag}. Tags are not taken here; leave it out.")
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._note(line, "begins a second document. One file is one document; take out this ---.")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                self._note(line, "is nested too deeply.")
            if depth > MAX_DEPTH or len(self.mistakes) >= 20:
                break
        self._raise_mistakes()

    def _mapping(self, pairs: list[Pair], place: Place) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._note(line, "has a list or a mapping where a name belongs.")
                continue
            inner = (*place, key.value)
            if key.value == "<<":
                self._note(line, "merges another mapping (<<). Write its settings out.")
            elif key.value in made:
                first = self.document.line_of(inner)
                self._note(line, f"{_dotted(inner)} is set a second time; it is in line {first} already.")
            else:
                self.document.lines[inner] = line
                made[key.value] = self._value(value, inner)
        return made

    def _value(self, node: Any, place: Place) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(list(node.value), place)
        if isinstance(node, yaml.SequenceNode):
            for index, inner in enumerate(node.value):
                self.document.lines[(*place, index)] = inner.start_mark.line + 1
            return [self._value(inner, (*place, index)) for index, inner in enumerate(node.value)]
        text = self._filled_in(node.value, place)
        return typed(text) if node.style is None else text

    def _filled_in(self, text: str, place: Place) -> str:
        """The text with its references replaced. What a variable holds is never part of a mistake's sentence."""
        used: list[str] = []

        def value(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if match[1] is None:
                self._note(self.document.line_of(place), f"{_dotted(place)} has a ${{ that names no variable.")
                return ""
            used.append(match[1])
            return self._look_up(match[1], match[2], place)

        filled = _REFERENCE.sub(value, text)
        if used:
            self.document.variables[place] = tuple(used)
        return filled

    def _look_up(self, name: str, default: str | None, place: Place) -> str:
        try:
            known = variable(name, self.environment)
        except OSError as error:
            self._note(self.document.line_of(place), f"cannot read the file that {name}_FILE names: {error.strerror}.")
            return ""
        if known:
            return known
        if default is None and known is None:
            self._note(
                self.document.line_of(place),
                f"{_dotted(place)} uses ${{{name}}}, which is not set. Set {name}, or write ${{{name}:-}} to leave it "
                "empty.",
            )
        return default or ""

    def _note(self, line: int, what: str) -> None:
        self.mistakes.append(FieldError(f"{self.document.name}:{line}", what))

    def _raise_mistakes(self) -> None:
        if self.mistakes:
            raise Invalid("The configuration file has mistakes:", errors=self.mistakes)

    def _broken(self, error: yaml.YAMLError, text: str) -> Invalid:
        mark = getattr(error, "problem_mark", None)
        position = getattr(error, "position", None)
        line = mark.line + 1 if mark else text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        return Invalid(f"{self.document.name}:{line}: is not valid YAML: {problem}.")


def variable(name: str, environment: Mapping[str, str]) -> str | None:
    """A variable, or what the file holds that `<NAME>_FILE` names. Raises `OSError` when that cannot be read."""
    if name in environment:
        return environment[name]
    if f"{name}_FILE" in environment:
        return Path(environment[f"{name}_FILE"]).read_text(encoding="utf-8").rstrip("\n")
    return None


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _indented(pairs: list[Pair], shape: Shape) -> list[Pair]:
    """The pairs of the root, with the indentation given back that document 1's template lost on its way to print.

    There every name stands at the margin: a section's name without a value, then its settings. Each belongs to the
    innermost open section that knows it. A file that is indented is left as it is.
    """
    if not any(_opens(pair, following, shape) for pair, following in itertools.pairwise(pairs)):
        return pairs
    root: list[Pair] = []
    open_sections: list[tuple[Shape, list[Pair]]] = [(shape, root)]
    for key, value in pairs:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        depth = next((n for n in range(len(open_sections) - 1, -1, -1) if name in open_sections[n][0]), None)
        if depth is not None:
            del open_sections[depth + 1 :]
        within, target = open_sections[-1]
        inner = within.get(name)
        if isinstance(inner, Mapping) and _is_empty(value):
            section = yaml.MappingNode("tag:yaml.org,2002:map", [], key.start_mark, key.end_mark)
            open_sections.append((inner, section.value))
            target.append((key, section))
            continue
        last = _last_section(value)
        if isinstance(inner, tuple) and last is not None:
            open_sections.append((inner[0], last))
        target.append((key, value))
    return root


def _opens(pair: Pair, following: Pair, shape: Shape) -> bool:
    """Whether this is a section's name with nothing below it, and a setting of that section beside it."""
    inner = shape.get(pair[0].value) if isinstance(pair[0], yaml.ScalarNode) else None
    return isinstance(inner, Mapping) and _is_empty(pair[1]) and following[0].value in inner


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == "" and node.style is None


def _last_section(node: yaml.Node) -> list[Pair] | None:
    last = node.value[-1] if isinstance(node, yaml.SequenceNode) and node.value else None
    return last.value if isinstance(last, yaml.MappingNode) else None
