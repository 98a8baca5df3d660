"""The stylesheet keeps its promises: readable in both schemes, small, and only made of tokens."""

import gzip
import math
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parent.parent / "static" / "tellback"
CSS = (STATIC / "tellback.css").read_text()
SCHEMES = ("light", "dark")

Colour = tuple[float, float, float]

SURFACES = ("paper", "surface", "sunken", "raised", "hover")
TEXT_PAIRS = [
    *((ink, surface) for ink in ("ink", "ink-2", "ink-3", "green", "green-strong", "red") for surface in SURFACES),
    ("on-green", "green"),
    ("on-green", "green-strong"),
    ("on-marker", "marker"),
    ("green-strong", "green-soft"),
    *((tone, f"{tone}-soft") for tone in ("red", "amber", "blue", "violet")),
    *(("ink", f"{tone}-soft") for tone in ("green", "red", "amber")),
    *(("ink-2", f"{tone}-soft") for tone in ("green", "red", "amber")),
]


def read_tokens(scheme: str) -> dict[str, Colour]:
    """Each colour token as linear sRGB in one scheme."""
    pairs = re.findall(r"--([\w-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\)", CSS)
    return {name: to_linear(light if scheme == "light" else dark) for name, light, dark in pairs}


def to_linear(oklch: str) -> Colour:
    """CSS Color 4's way from OKLCH to linear sRGB (https://www.w3.org/TR/css-color-4/), cut to the gamut."""
    lightness, chroma, hue = (float(part) for part in oklch.split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        min(max(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short, 0), 1),
        min(max(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short, 0), 1),
        min(max(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short, 0), 1),
    )


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    lights = sorted((0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def test_the_measure_itself_agrees_with_known_ratios() -> None:
    assert contrast(to_linear("1 0 0"), to_linear("0 0 0")) == pytest.approx(21, abs=0.01)
    assert contrast(to_linear("0.5999 0 0"), to_linear("1 0 0")) == pytest.approx(3.95, abs=0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read_on_every_surface(scheme: str) -> None:
    tokens = read_tokens(scheme)
    weak = {
        f"{text} on {ground}": round(ratio, 2)
        for text, ground in TEXT_PAIRS
        if (ratio := contrast(tokens[text], tokens[ground])) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_edge_of_a_field_can_be_seen(scheme: str) -> None:
    tokens = read_tokens(scheme)
    assert all(contrast(tokens["field"], tokens[surface]) >= 3 for surface in ("surface", "raised", "paper"))
    assert all(contrast(tokens["green"], tokens[surface]) >= 3 for surface in SURFACES)


def test_colour_comes_only_from_the_tokens() -> None:
    after = CSS.split("@layer base {", 1)[1]
    assert not re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s)])", after)
    assert re.findall(r"oklch\([^)]*\)", after) == ["oklch(0.2 0.01 260 / 0.42)"], "only the dialog's backdrop"


def test_the_marker_is_kept_for_evidence() -> None:
    uses = [line for line in CSS.splitlines() if "var(--marker)" in line]
    assert len(uses) == 1
    assert uses[0].strip().startswith("mark {")


def test_every_token_that_is_used_exists() -> None:
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= set(re.findall(r"--([\w-]+):", CSS))


def test_styles_and_scripts_are_small() -> None:
    assert len(gzip.compress(CSS.encode(), 9)) <= 18 * 1024
    scripts = sorted(STATIC.glob("*.js"))
    assert sum(len(gzip.compress(script.read_bytes(), 9)) for script in scripts) <= 12 * 1024
    assert {script.name: count for script in scripts if (count := len(script.read_text().splitlines())) > 80} == {}


def test_scripts_need_no_permission_that_the_policy_refuses() -> None:
    for script in STATIC.glob("*.js"):
        text = script.read_text()
        assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|https?://|\.style\b", text), (
            script.name
        )
