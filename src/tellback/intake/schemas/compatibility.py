"""Whether a schema still takes everything that an earlier one took: the rules of evolution, as code. Pure.

A published version may only grow: new optional fields, new values of an enum, wider limits. Whatever an older client
sends must stay valid and must mean the same. The subset of JSON Schema is the one that our models produce.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
#: Limits that may only fall, and those that may only rise.
FLOORS = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
CEILINGS = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
#: What two schemas must have alike, since a change narrows or cannot be judged. Texts for people are not looked at.
FIXED = ("pattern", "format", "multipleOf", "uniqueItems", "const", "contentEncoding")
KNOWN = {
    *FLOORS, *CEILINGS, *FIXED, "$ref", "$defs", "$schema", "$id", "title", "description", "default", "examples",
    "deprecated", "type", "enum", "anyOf", "properties", "required", "additionalProperties", "items",
}  # fmt: skip
ANYTHING: Schema = {}


def breaking_changes(*, published: Schema, proposed: Schema) -> list[str]:
    """One sentence for each way in which `proposed` refuses or reads differently what `published` took; none is good.

    Each begins with the JSON pointer of the field in the payload. Raises `ValueError` for a keyword that these rules do
    not know, so that none is overlooked.
    """
    return list(dict.fromkeys(_Comparison(published, proposed).compare(published, proposed, at="", seen=())))


class _Comparison:
    def __init__(self, published: Schema, proposed: Schema) -> None:
        self.old_parts, self.new_parts = published.get("$defs", {}), proposed.get("$defs", {})

    def compare(self, old: Schema, new: Schema, *, at: str, seen: tuple[tuple[str, str], ...]) -> Iterator[str]:
        names = str(old.get("$ref", "")), str(new.get("$ref", ""))
        if any(names) and names in seen:
            return
        old, new = _resolved(old, self.old_parts), _resolved(new, self.new_parts)
        _require_known(old, at)
        _require_known(new, at)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(old, new, at=at, seen=(*seen, names))
            return
        yield from _types(old, new, at)
        yield from _limits(old, new, at)
        yield from self._fields(old, new, at=at, seen=(*seen, names))
        if "items" in new:
            yield from self.compare(old.get("items", ANYTHING), new["items"], at=f"{at}/*", seen=(*seen, names))

    def _alternatives(self, old: Schema, new: Schema, *, at: str, seen: tuple[tuple[str, str], ...]) -> Iterator[str]:
        """Each alternative that was taken must fit one that is taken now."""
        offered = new.get("anyOf", [new])
        for one in old.get("anyOf", [old]):
            found = [list(self.compare(one, other, at=at, seen=seen)) for other in offered]
            if all(found):
                yield from min(found, key=len)

    def _fields(self, old: Schema, new: Schema, *, at: str, seen: tuple[tuple[str, str], ...]) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        for name, field in before.items():
            if name in now:
                yield from self.compare(field, now[name], at=f"{at}/{name}", seen=seen)
                yield from _defaults(field, now[name], f"{at}/{name}")
            else:
                yield f"{at}/{name}: the field is gone or renamed. Keep it, and add the new one beside it."
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{at}/{name}: the field has become required. Give it a default."
        yield from _openness(old, new, at)


def _resolved(schema: Schema, parts: Mapping[str, Schema]) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return {**parts[reference.removeprefix("#/$defs/")], **beside}


def _require_known(schema: Schema, at: str) -> None:
    unknown = sorted(set(schema) - KNOWN)
    if unknown:
        raise ValueError(f"{at or '/'}: these rules do not know {', '.join(unknown)}. Say what may change about it.")


def _types(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, now = old.get("type"), new.get("type")
    if now and now != before and (before, now) != ("integer", "number"):
        yield f"{at}: the type {before or 'anything'} has become {now}. Add a field of the new type instead."
    if "enum" in new:
        lost = [value for value in old.get("enum", ()) if value not in new["enum"]]
        if "enum" not in old:
            yield f"{at}: only certain values are taken now. Take the others still."
        elif lost:
            yield f"{at}: the values {', '.join(map(str, lost))} are no longer taken. Keep them as aliases."


def _limits(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for name in FLOORS:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{at}: {name} has risen from {old.get(name, 'none')} to {new[name]}. Leave it, or take it away."
    for name in CEILINGS:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{at}: {name} has fallen from {old.get(name, 'none')} to {new[name]}. Leave it, or raise it."
    for name in FIXED:
        if name in new and old.get(name) != new[name]:
            yield f"{at}: {name} has changed from {old.get(name, 'none')} to {new[name]}. Leave it, or take it away."


def _defaults(old: Schema, new: Schema, at: str) -> Iterator[str]:
    if "default" in old and old["default"] != new.get("default", ...):
        yield f"{at}: the default {old['default']!r} has changed, so what leaves it out would mean something else."


def _openness(old: Schema, new: Schema, at: str) -> Iterator[str]:
    closed = new.get("type") == "object" and new.get("additionalProperties") is False
    if closed and old.get("additionalProperties") is not False:
        yield f"{at}: unknown fields were taken and are refused now. Go on taking them."
