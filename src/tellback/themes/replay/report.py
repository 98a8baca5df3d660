"""What a replay would change: signals gained and lost, themes moved, titles changed, and what it cost."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tellback.intake.models import RawItem
from tellback.themes.models import Replay, ReplaySignal, ReplayTheme, Theme, ThemeStatus
from tellback.themes.replay.grouping import pairs_of
from tellback.themes.replay.shadow import untouched
from tellback.understanding.language_model.choices import get_choices
from tellback.understanding.models import Signal

#: How many examples of each kind are listed, unless asked for more.
SHOWN = 20
COMPARED = ("signal_type", "sentiment", "urgency", "board_id")
UNTHEMED = "in no theme"

#: A theme in a report: its id (as an edge says it), or the number of a new one, or nothing; and its title.
Place = tuple[str, str]


@dataclass
class _Difference:
    """What is counted while the signals are compared."""

    before: int = 0
    after: int = 0
    kept: int = 0
    moved_signals: int = 0
    gained: list[dict[str, str]] = field(default_factory=list)
    lost: list[dict[str, str]] = field(default_factory=list)
    changed: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[Place, Place]] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    left: set[str] = field(default_factory=set)

    def take(self, before: Signal | None, after: ReplaySignal | None, titles: dict[str, str]) -> None:
        """Count one signal and its counterpart."""
        came_from = _place_of(before, titles) if before else None
        goes_to = _shadow_place(after.shadow_theme) if after else None
        self.before += before is not None
        self.after += after is not None
        if after and goes_to:
            self.sizes[goes_to[0]] += 1
        if before and came_from and (goes_to is None or goes_to[0] != came_from[0]):
            self.left.add(came_from[0])
        if before is None and after is not None:
            self.gained.append(
                _said(after.raw_feedback_item_id, after.content["signal_type"], after.content["summary"])
            )
        elif after is None and before is not None:
            self.lost.append(_said(before.raw_feedback_item_id, before.signal_type, before.summary))
        elif before and after:
            self.kept += 1
            for name in COMPARED:
                self.changed[name] += _text(getattr(before, name)) != _text(after.content[name])
            if (came_from or ("", ""))[0] != (goes_to or ("", ""))[0]:
                self.moved_signals += 1
                self.moves[came_from or ("", UNTHEMED), goes_to or ("", UNTHEMED)] += 1


def _text(value: object) -> str:
    return str(value) if value else ""


def _said(item_id: Any, signal_type: str, summary: str) -> dict[str, str]:
    return {"item": RawItem(id=item_id).public_id, "type": signal_type, "summary": summary}


def _place_of(signal: Signal, titles: dict[str, str]) -> Place | None:
    return (str(signal.theme_id), titles.get(str(signal.theme_id), "")) if signal.theme_id else None


def _shadow_place(theme: ReplayTheme | None) -> Place | None:
    if theme is None:
        return None
    return (str(theme.theme_id), _title(theme)) if theme.theme_id else (f"new-{theme.number}", theme.title)


def _title(theme: ReplayTheme) -> str:
    return theme.theme.title if theme.theme else theme.title


def report(replay: Replay, *, most: int = SHOWN) -> dict[str, Any]:
    """The difference that adopting would make, for people and programs; `most` examples of each kind.

    Counts are of everything. The same shadow gives the same report to the byte. For a replay that is over only the
    figures are known.
    """
    known = head(replay)
    if not replay.signals.exists():
        return known | (replay.figures or {})
    found, titles = _compare(replay)
    return known | _figures(replay, found) | _examples(replay, found, titles, most)


def figures_of(replay: Replay) -> dict[str, Any]:
    """The counts alone: they name nobody and quote nothing, and are kept when the shadow is gone."""
    return _figures(replay, _compare(replay)[0])


def head(replay: Replay) -> dict[str, Any]:
    cost = get_choices(replay.workspace_id).cost(input_tokens=replay.input_tokens, output_tokens=replay.output_tokens)
    return {
        "engine": replay.engine,
        "model": replay.model,
        "prompt_version": replay.prompt_version,
        "since": replay.since.isoformat() if replay.since else None,
        "state": replay.state,
        "items": {
            "all": replay.item_count,
            "done": replay.done_count,
            "skipped": len(replay.skipped),
            "read_by_local_instead": replay.stood_in_count,
        },
        "cost": {"input_tokens": replay.input_tokens, "output_tokens": replay.output_tokens, "price": f"{cost:.4f}"},
    }


def _compare(replay: Replay) -> tuple[_Difference, dict[str, str]]:
    titles = {str(theme_id): title for theme_id, title in Theme.objects.values_list("id", "title")}
    shadows = {theme.id: theme for theme in replay.themes.select_related("theme")}
    found = _Difference()
    for pair in pairs_of(replay):
        if pair.after is not None and pair.after.shadow_theme_id:
            pair.after.shadow_theme = shadows[pair.after.shadow_theme_id]
        found.take(pair.before, pair.after, titles)
    return found, titles


def _figures(replay: Replay, found: _Difference) -> dict[str, Any]:
    return {
        "signals": {
            "before": found.before,
            "after": found.after,
            "gained": len(found.gained),
            "lost": len(found.lost),
            "changed": {name: found.changed[name] for name in COMPARED},
        },
        "themes": {
            "signals_moved": found.moved_signals,
            "new": sum(size > 1 for place, size in found.sizes.items() if place.startswith("new-")),
            "new_of_one_signal": sum(size == 1 for place, size in found.sizes.items() if place.startswith("new-")),
            "left_empty": len(_emptied(replay, found)),
            "titles_changed": len(_retitled(replay)),
        },
    }


def _emptied(replay: Replay, found: _Difference) -> list[str]:
    """Themes that lose all their signals, whichever items those came from."""
    gone = sorted(theme_id for theme_id in found.left if not found.sizes[theme_id])
    staying = untouched(replay, Signal.objects.filter(theme_id__in=gone))
    alive = {str(theme_id) for theme_id in staying.values_list("theme_id", flat=True)}
    return [theme_id for theme_id in gone if theme_id not in alive]


def _retitled(replay: Replay) -> list[ReplayTheme]:
    themes = replay.themes.exclude(theme=None).exclude(title="").select_related("theme").order_by("number")
    return [
        one for one in themes if one.theme and one.theme.status == ThemeStatus.ACTIVE and one.title != one.theme.title
    ]


def _examples(replay: Replay, found: _Difference, titles: dict[str, str], most: int) -> dict[str, Any]:
    moves = sorted(found.moves.items(), key=lambda one: (-one[1], one[0]))
    new = {f"new-{one.number}": one.title for one in replay.themes.filter(theme=None)}
    sizes = sorted(((place, size) for place, size in found.sizes.items() if place in new and size > 1), key=_by_size)
    return {
        "gained": found.gained[:most],
        "lost": found.lost[:most],
        "moves": [{"from": origin[1], "to": target[1], "signals": count} for (origin, target), count in moves[:most]],
        "new_themes": [{"title": new[place], "signals": size} for place, size in sizes[:most]],
        "emptied_themes": [titles[theme_id] for theme_id in _emptied(replay, found)[:most]],
        "titles": list_titles(replay)[:most],
    }


def _by_size(one: tuple[str, int]) -> tuple[int, int]:
    return -one[1], int(one[0].removeprefix("new-"))


def list_titles(replay: Replay) -> list[dict[str, str]]:
    """The titles that would change, in the order in which themes were founded. Quick: nothing is compared."""
    return [{"before": _title(one), "after": one.title} for one in _retitled(replay)]


def list_new_themes(replay: Replay) -> list[dict[str, Any]]:
    """The new themes of two signals and more, largest first. Quick: nothing is compared."""
    new = replay.themes.filter(theme=None, signal_count__gt=1).order_by("-signal_count", "number")
    return [{"title": one.title, "signals": one.signal_count} for one in new]
