"""What the page shows of an import that has not started: what its columns mean, and its first rows as they come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tellback.intake.importing.dates import NUMBERED, DayOrder, parse_time
from tellback.intake.importing.desk import wanted_columns
from tellback.intake.importing.fields import FIELDS, Kind
from tellback.intake.importing.formats import Format
from tellback.intake.importing.landing import Delivery, lander_of, list_landers
from tellback.intake.importing.looking import Look, Survey
from tellback.intake.importing.plan import CHANNELS, ImportPlan, TablePlan
from tellback.intake.importing.recognising import FORMAT_OF, remap
from tellback.intake.importing.said import LeftOut
from tellback.intake.models import ImportMapping, ImportRun
from tellback.intake.pages.imports import words
from tellback.intake.policy import Policy, get_policy
from tellback.kernel.errors import Invalid

EXAMPLES, EXAMPLE_LENGTH = 3, 60
PREVIEWED = 5
#: Tables of whose rows some are shown as they come in.
TELLING = (Kind.FEEDBACK, Kind.POSTS, Kind.COMMENTS)


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select."""

    value: str
    label: object
    chosen: bool


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One column: its first cells, and what it may mean."""

    name: str
    examples: list[str]
    empty: bool
    control: str
    field: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class DateQuestion:
    """Dates that can be read two ways, and how each would read the example."""

    column: str
    example: str
    control: str
    answers: list[Choice]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it comes in, or why it does not. Private data is taken out as it will be."""

    number: int
    text: str = ""
    subject: str = ""
    author: str = ""
    when: str = ""
    stars: str = ""
    rating: str = ""
    facts: tuple[str, ...] = ()
    refused: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """One table of the file."""

    name: str
    rows: int
    control: str
    kinds: list[Choice]
    kind: Kind
    columns: list[ColumnView]
    questions: list[DateQuestion]
    preview: list[PreviewRow]

    @property
    def mapped(self) -> list[ColumnView]:
        """The columns that mean something."""
        return [column for column in self.columns if column.field]

    @property
    def others(self) -> list[ColumnView]:
        """The columns with cells that mean nothing yet."""
        return [column for column in self.columns if not column.field and not column.empty]

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of it comes in."""
        return self.kind in {Kind.NONE, Kind.NOTES}


@dataclass(frozen=True, slots=True)
class DraftView:
    """Everything that a person decides before an import."""

    format: Format | None
    tables: list[TableView]
    rows: int
    plan: ImportPlan
    channels: list[Choice]
    boards: list[str]
    has_feedback: bool
    has_posts: bool
    left_out: tuple[str, ...]
    mappings: list[ImportMapping]


def view_draft(*, run: ImportRun, plan: ImportPlan, look: Look, now: datetime) -> DraftView:
    """What the page shows of a file and its plan."""
    policy = get_policy(run.workspace_id)
    delivery = Delivery(run.workspace_id, UUID(int=0), run.id, plan, now)
    kinds = {table.kind for table in plan.tables}
    return DraftView(
        format=FORMAT_OF.get(plan.format),
        tables=[_table(place, table, look.tables[place], delivery, policy) for place, table in enumerate(plan.tables)],
        rows=sum(table.rows for table in plan.tables if table.kind not in {Kind.NONE, Kind.NOTES}),
        plan=plan,
        channels=[Choice(one, label, one == plan.channel) for one, label in words.CHANNELS.items()],
        boards=[name for lander in list_landers() for name in lander.list_places()],
        has_feedback=Kind.FEEDBACK in kinds,
        has_posts=Kind.POSTS in kinds,
        left_out=look.left_out,
        mappings=list(ImportMapping.objects.order_by("name")),
    )


def _table(place: int, table: TablePlan, survey: Survey, delivery: Delivery, policy: Policy) -> TableView:
    return TableView(
        name=survey.name,
        rows=survey.rows,
        control=f"kind-{place}",
        kinds=[Choice(kind, label, kind == table.kind) for kind, label in words.KINDS.items()],
        kind=table.kind,
        columns=[_column(place, number, table, survey) for number in range(len(survey.columns))],
        questions=_questions(place, table, survey),
        preview=_preview(table, survey, delivery, policy) if table.kind in TELLING else [],
    )


def _column(place: int, number: int, table: TablePlan, survey: Survey) -> ColumnView:
    name = survey.columns[number]
    field = next((field for field, column in table.columns.items() if column == name), "")
    cells = dict.fromkeys(cell for row in survey.sample if (cell := " ".join(row.cells.get(name, "").split())))
    examples = [f"{cell[:EXAMPLE_LENGTH]}…" if len(cell) > EXAMPLE_LENGTH else cell for cell in cells]
    kept = _("Keep as a detail") if table.kind == Kind.FEEDBACK else _("Leave out")
    choices = [Choice("", kept, not field)]
    choices += [Choice(one, words.FIELDS[one], one == field) for one in FIELDS[table.kind]]
    is_empty = not survey.filled.get(name)
    return ColumnView(name, examples[:EXAMPLES], is_empty, f"column-{place}-{number}", field, choices)


def _questions(place: int, table: TablePlan, survey: Survey) -> list[DateQuestion]:
    found = []
    for field in ("date", "response_date", "vote_date"):
        column = table.columns.get(field, "")
        if not survey.orders.get(column, DayOrder.NOT_NEEDED).is_open:
            continue
        example = survey.examples.get(column, "") or _first_numbered(survey, column)
        answers = [
            Choice(order, _read(example, order), table.order_of(field) == order)
            for order in (DayOrder.DAY_FIRST, DayOrder.MONTH_FIRST)
        ]
        found.append(DateQuestion(column, example, f"order-{place}-{field}", answers))
    return found


def _first_numbered(survey: Survey, column: str) -> str:
    return next((cell for row in survey.sample if NUMBERED.match(cell := row.cells.get(column, "").strip())), "")


def _read(example: str, order: DayOrder) -> str:
    try:
        return date_format(parse_time(example, order=order), "j F Y")
    except Invalid:
        return _("day first") if order == DayOrder.DAY_FIRST else _("month first")


def _preview(table: TablePlan, survey: Survey, delivery: Delivery, policy: Policy) -> list[PreviewRow]:
    lander, rows = lander_of(table.kind), []
    # While it is open which day a date is, no day is shown.
    decided = replace(table, orders=dict.fromkeys(table.orders, DayOrder.DAY_FIRST)) if table.open_dates else table
    for row in survey.sample[:PREVIEWED]:
        try:
            shown = lander.read(row, decided, delivery).shown
            rows.append(_previewed(row.number, {**shown, "date": ""} if table.open_dates else shown, policy))
        except Invalid as refused:
            rows.append(PreviewRow(row.number, refused=policy.redactor().redact(refused.detail)))
        except LeftOut as reason:
            rows.append(PreviewRow(row.number, left_out=str(reason)))
    return rows


def _previewed(number: int, shown: Mapping[str, str], policy: Policy) -> PreviewRow:
    redactor = policy.redactor()
    rating = int(shown.get("rating") or 0)
    votes = shown.get("votes", "")
    facts = [
        ngettext("%s vote", "%s votes", 1 if votes == "1" else 2) % votes if votes else "",
        shown.get("board", ""),
        shown.get("status", ""),
    ]
    return PreviewRow(
        number,
        text=redactor.redact(shown.get("text", "")),
        subject=redactor.redact(shown.get("subject", "")),
        author=shown.get("author", ""),
        when=_when(shown.get("date", "")),
        stars="★" * rating + "☆" * (5 - rating) if rating else "",
        rating=str(rating or ""),
        facts=tuple(one for one in (*facts, shown.get("tags", "")) if one),
    )


def _when(shown: str) -> str:
    """A date, with its time of day where it has one."""
    if not shown:
        return ""
    at = datetime.fromisoformat(shown)
    return date_format(at, "j M Y, H:i") if at.time() != time() else date_format(at, "j M Y")


def read_plan(*, plan: ImportPlan, look: Look, said: Mapping[str, str]) -> ImportPlan:
    """The plan as the form says it. Raises `Invalid` for what makes no sense."""
    for place, table in enumerate(plan.tables):
        kind = _kind(said.get(f"kind-{place}", table.kind))
        columns = look.tables[place].columns
        meant = {column: field for field, column in table.columns.items()}
        # A column that is not offered, since it is empty, means what it meant.
        chosen = {
            column: said.get(f"column-{place}-{number}", meant.get(column, "")) for number, column in enumerate(columns)
        }
        wanted = wanted_columns(chosen, before=table.columns)
        plan = remap(look=look, plan=plan, place=place, kind=kind, wanted=wanted)
        plan = _answered(plan, place, said)
    channel = said.get("channel", plan.channel)
    source = " ".join(said.get("source", "").split())[:100]
    return replace(
        plan,
        source_name=source or plan.source_name,
        channel=channel if channel in CHANNELS else plan.channel,
        board=" ".join(said.get("board", plan.board).split())[:120],
    )


def _answered(plan: ImportPlan, place: int, said: Mapping[str, str]) -> ImportPlan:
    """The plan with what a person said of one table's dates."""
    table = plan.tables[place]
    given = {field: said.get(f"order-{place}-{field}", "") for field in table.orders}
    orders = {
        field: DayOrder(given[field]) if given[field] in {DayOrder.DAY_FIRST, DayOrder.MONTH_FIRST} else order
        for field, order in table.orders.items()
    }
    tables: Sequence[TablePlan] = plan.tables
    return replace(plan, tables=(*tables[:place], replace(table, orders=orders), *tables[place + 1 :]))


def _kind(said: str) -> Kind:
    try:
        return Kind(said)
    except ValueError:
        raise Invalid(_("There are no rows of the kind “%s”.") % said) from None
