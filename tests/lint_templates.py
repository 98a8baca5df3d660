"""Holds every template to the design system's rules: `python -m tests.lint_templates`. Exit code 1 when one breaks."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tellback"
#: Attributes that mean the same in htmx 2 and 4, each written on the element that uses it.
HTMX = {
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "target",
    "swap",
    "trigger",
    "include",
    "push-url",
    "indicator",
    "sync",
    "vals",
}
#: djlint's rules that do not fit: addresses are part of the contract and written out; the others are about taste.
DJLINT = "D018,H006,H013,H015,H016,H020,H023,H026,H029,H030,H031,H035,H036,H043,T003,T028"
MESSAGES = {
    "inline style": re.compile(r"<[a-z][^>]*\sstyle\s*="),
    "inline handler": re.compile(r"<[a-z][^>]*\son[a-z]+\s*="),
    "javascript address": re.compile(r"""(?:href|action)\s*=\s*["']?\s*javascript:""", re.I),
    "script in the page": re.compile(r"<script(?![^>]*\ssrc=)", re.I),
    "style in the page": re.compile(r"<style\b", re.I),
    "|safe or autoescape off": re.compile(r"\|\s*safe\b|autoescape\s+off"),
    "address of another host": re.compile(
        r"""<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*["']?(?:https?:)?//""", re.I
    ),
}
#: Characters in a line of a page; mails are exempt, their plain text breaks where the reader sees a break.
LONGEST_LINE = 160
HX_ATTRIBUTE = re.compile(r"\s(hx-[a-z:-]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
TAG = re.compile(r"<[a-z][^<>]*\shx-(?:get|post|put|patch|delete)=[^<>]*>", re.S)


def find_templates() -> list[Path]:
    """Every template of the product, in a steady order."""
    return sorted(path for path in SOURCE.glob("**/templates/**/*") if path.suffix in {".html", ".txt"})


def is_mail(path: Path) -> bool:
    """Mail has no stylesheet to link and no scripts to fear; its plain text must not be escaped."""
    return "mail" in path.parts


def broken_rules(text: str, *, mail: bool = False) -> Iterator[tuple[int, str]]:
    """Line and message of each broken rule in one template's text."""
    for message, pattern in MESSAGES.items():
        if mail and message in {"style in the page", "|safe or autoescape off"}:
            continue
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, message
    if not mail:
        for number, line in enumerate(text.splitlines(), start=1):
            if len(line) > LONGEST_LINE:
                yield number, f"{len(line)} characters in a line; {LONGEST_LINE} can be read"
    yield from _broken_htmx(text)


def _broken_htmx(text: str) -> Iterator[tuple[int, str]]:
    for match in HX_ATTRIBUTE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[1].removeprefix("hx-") not in HTMX:
            yield line, f"{match[1]} is not in the dialect that htmx 2 and 4 share"
        if "js:" in match[2] or "javascript:" in match[2]:
            yield line, f"{match[1]} holds an expression"
    for match in TAG.finditer(text):
        if "hx-target=" not in match[0] or "hx-swap=" not in match[0]:
            yield text.count("\n", 0, match.start()) + 1, "a request without its own hx-target and hx-swap"


def unused_partials(templates: list[Path]) -> Iterator[str]:
    """Partials (`_thing.html`) that neither a template nor a view names."""
    texts = [path.read_text() for path in [*templates, *SOURCE.glob("**/*.py")]]
    for path in templates:
        name = path.as_posix().rpartition("/templates/")[2]
        if path.name.startswith("_") and not any(name in text for text in texts):
            yield f"{path.relative_to(ROOT)}: no template and no view uses it"


def undocumented_components(templates: list[Path]) -> Iterator[str]:
    """Components that the page on the design system does not list, and listed ones that do not exist."""
    listed = set(re.findall(r"^\| `c-([a-z-]+)`", (ROOT / "docs/explanation/design-system.md").read_text(), re.M))
    known = {path.stem.replace("_", "-") for path in templates if path.parent.name == "cotton"}
    for name in sorted(known ^ listed):
        yield f"c-{name}: {'not in docs/explanation/design-system.md' if name in known else 'does not exist'}"
    used = {name for path in templates for name in re.findall(r"<c-([a-z-]+)", path.read_text())} - {"vars", "slot"}
    for name in sorted(used - known):
        yield f"<c-{name}> is used and does not exist"


def _run(command: list[str], paths: list[Path]) -> bool:
    done = subprocess.run([*command, *map(str, paths)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
    return done.returncode == 0


def main() -> int:
    """Check every template and say where; 0 when all hold."""
    templates = find_templates()
    found = [
        f"{path.relative_to(ROOT)}:{line}: {message}"
        for path in templates
        for line, message in broken_rules(path.read_text(), mail=is_mail(path))
    ]
    found += [*unused_partials(templates), *undocumented_components(templates)]
    for line in found:
        sys.stdout.write(line + "\n")
    html = [path for path in templates if path.suffix == ".html"]
    programs = Path(sys.executable).parent
    formatted = _run([str(programs / "djade"), "--check", "--target-version", "5.2"], html)
    linted = _run([str(programs / "djlint"), "--lint", "--profile", "django", "--ignore", DJLINT, "--quiet"], html)
    return 0 if formatted and linted and not found else 1


if __name__ == "__main__":
    sys.exit(main())
