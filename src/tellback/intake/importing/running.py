"""Running an import: batch by batch, each with its place in the file in one transaction, resumable at any instant."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from tellback.intake.importing.feedback import SOURCE_TYPE
from tellback.intake.importing.fields import Kind
from tellback.intake.importing.landing import (
    KNOWN,
    NOTHING_TO_JOIN,
    UPDATED,
    Delivery,
    Draft,
    Foreseen,
    Lander,
    Result,
    RowOutcome,
    in_general,
    lander_of,
    other_words_under_one_id,
)
from tellback.intake.importing.plan import ImportPlan, TablePlan, plan_from_json
from tellback.intake.importing.reading import ImportFile, Row, Table
from tellback.intake.importing.recognising import reading_order
from tellback.intake.importing.said import LeftOut
from tellback.intake.models import FeedbackSource, ImportRefusal, ImportRun, ImportState
from tellback.intake.policy import get_policy
from tellback.kernel.errors import Conflict, Invalid
from tellback.platform.tenancy import in_workspace

#: Rows per transaction, and so per job that follows.
BATCH = 200
SHOWN = 5
REASON_LENGTH = 300


@dataclass(slots=True)
class ImportReport:
    """What became of the rows so far. `resumed_after` rows were done before this process began."""

    read: int = 0
    added: int = 0
    updated: int = 0
    known: int = 0
    left_out: int = 0
    refused: int = 0
    resumed_after: int = 0
    total: int = 0
    samples: list[Draft] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How much of the file is done, 0 to 1."""
        return min(1.0, self.read / self.total) if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that did not come in, and why."""

    table_index: int
    row: Row
    result: Result


Watcher = Callable[[ImportReport, Sequence[Refusal]], None]


def rehearse(*, workspace_id: UUID, file: ImportFile, plan: ImportPlan, now: datetime, watch: Watcher) -> ImportReport:
    """Read the whole file as an import would and count what it would do, storing nothing.

    Raises `Invalid` when a column of dates can be read two ways.
    """
    _check_decided(plan)
    with in_workspace(workspace_id):
        source = FeedbackSource.objects.filter(source_type=SOURCE_TYPE, name=plan.source_name).first()
    delivery = Delivery(workspace_id, source.id if source else UUID(int=0), UUID(int=0), plan, now)
    report = ImportReport(total=plan.rows)
    with closing(_Foretold()) as foretold:
        for place in _tables_with_rows(plan):
            table = plan.tables[place]
            step = _Step(0, place, file.tables[place], table, lander_of(table.kind), delivery)
            _rehearse_table(step, report, foretold, watch)
    return report


def _rehearse_table(step: "_Step", report: ImportReport, foretold: "_Foretold", watch: Watcher) -> None:
    with closing(_Repeats()) as repeats:
        for batch in _batches(step.table.rows()):
            drafts, refusals = _sort(batch, step.place, step.plan, step.lander, step.delivery)
            drafts = [repeats.count(draft) for draft in drafts]
            with in_workspace(step.delivery.workspace_id):
                foreseen = step.lander.foresee(drafts, step.delivery)
            results = [foretold.settle(draft, one) for draft, one in zip(drafts, foreseen, strict=True)]
            _count(report, results, refusals)
            refusals += _refused_by_lander(step.place, batch, drafts, results)
            report.samples = (report.samples + drafts)[:SHOWN]
            for one in refusals:
                if one.result.outcome == RowOutcome.REFUSED:
                    reason = in_general(one.result.reason)
                    report.reasons[reason] = report.reasons.get(reason, 0) + 1
            watch(report, refusals)


def run_import(*, run_id: UUID, workspace_id: UUID, file: ImportFile, now: datetime, watch: Watcher) -> ImportReport:
    """Import the file from where the run stands, calling `watch` after each batch is stored.

    Every batch and the place behind it are one transaction, so a killed import goes on where it stood and nothing of
    it is there twice. `watch` may raise `Paused` to end in between. Raises `Conflict` when the run was stopped or is
    run by somebody else, and `Invalid` when the file is another one or has dates that can be read two ways.
    """
    with in_workspace(workspace_id):
        run = ImportRun.objects.get(id=run_id)
        plan = plan_from_json(run.plan)
    _check_decided(plan)
    if run.file_digest != file.digest:
        raise Invalid(f"{file.name} has changed since the import began. Start it anew.")
    assert run.source_id
    delivery = Delivery(workspace_id, run.source_id, run.id, plan, now)
    report = _report_of(run, plan)
    order = _tables_with_rows(plan)
    for number, place in enumerate(order):
        if number >= run.table_index:
            table = plan.tables[place]
            step = _Step(number, place, file.tables[place], table, lander_of(table.kind), delivery)
            _run_table(run, step, report, watch)
    with in_workspace(workspace_id):
        _finish(run, now)
    return report


class Paused(Exception):
    """Raised by a watcher to end an import in between two batches."""


def _check_decided(plan: ImportPlan) -> None:
    for table, name in plan.open_dates:
        example = table.examples.get(name, "")
        raise Invalid(
            f"The dates in the column “{table.columns[name]}” can be read two ways ({example}). "
            "Say --day-first or --month-first."
        )


def _tables_with_rows(plan: ImportPlan) -> list[int]:
    return [place for place in reading_order(plan) if plan.tables[place].kind != Kind.NONE]


def _report_of(run: ImportRun, plan: ImportPlan) -> ImportReport:
    total = sum(table.rows for table in plan.tables if table.kind != Kind.NONE)
    return ImportReport(
        read=run.rows_read,
        added=run.rows_added,
        updated=run.rows_updated,
        known=run.rows_known,
        left_out=run.rows_left_out,
        refused=run.rows_refused,
        resumed_after=run.rows_read,
        total=total,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """One table on its way: `number` counts those that are read, `place` is its own in the file."""

    number: int
    place: int
    table: Table
    plan: TablePlan
    lander: Lander
    delivery: Delivery


def _run_table(run: ImportRun, step: _Step, report: ImportReport, watch: Watcher) -> None:
    done = run.table_row if step.number == run.table_index else 0
    with closing(_Repeats()) as repeats:
        for batch in _batches(_behind(step, done, repeats)):
            drafts, refusals = _sort(batch, step.place, step.plan, step.lander, step.delivery)
            drafts = [repeats.count(draft) for draft in drafts]
            with in_workspace(step.delivery.workspace_id):
                _hold(run)
                results = step.lander.store(drafts, step.delivery)
                _count(report, results, refusals)
                refusals += _refused_by_lander(step.place, batch, drafts, results)
                run.table_index, run.table_row = step.number, batch[-1].number
                _keep(run, report, refusals, step.delivery)
            watch(report, refusals)


def _refused_by_lander(
    place: int, batch: Sequence[Row], drafts: Sequence[Draft], results: Sequence[Result]
) -> list[Refusal]:
    rows = {row.number: row for row in batch}
    return [
        Refusal(place, rows[draft.number], result)
        for draft, result in zip(drafts, results, strict=True)
        if result.outcome in {RowOutcome.REFUSED, RowOutcome.LEFT_OUT}
    ]


def _behind(step: _Step, done: int, repeats: "_Repeats") -> Iterator[Row]:
    """The rows behind the first `done`. Those before are looked at again only to count equal ones."""
    if done and step.plan.kind == Kind.FEEDBACK and "id" not in step.plan.columns:
        for batch in _batches(row for row in step.table.rows() if row.number <= done):
            for draft in _sort(batch, step.place, step.plan, step.lander, step.delivery)[0]:
                repeats.count(draft)
    return step.table.rows(after=done)


class _Repeats:
    """Counts equal rows in a file of its own, so that a large table costs no memory."""

    def __init__(self) -> None:
        # An empty name is a temporary file that SQLite removes.
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID")
        self._seen.execute("BEGIN")

    def count(self, draft: Draft) -> Draft:
        """The draft with how many equal ones came before it, and itself."""
        if not draft.repeats:
            return draft
        found = self._seen.execute(
            "INSERT INTO seen VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1 RETURNING n", [draft.repeats]
        ).fetchone()
        return replace(draft, nth=found[0])

    def close(self) -> None:
        """Forget them."""
        self._seen.close()


class _Foretold:
    """What a rehearsal has seen so far, in a file of its own: rows that are one thing count once."""

    def __init__(self) -> None:
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, digest TEXT, row INTEGER) WITHOUT ROWID")
        self._seen.execute("BEGIN")

    def settle(self, draft: Draft, foreseen: Foreseen) -> Result:
        """What becomes of a row, given those before it."""
        if foreseen.needs and self._find(f"made {foreseen.needs}") is None:
            return NOTHING_TO_JOIN
        result = foreseen.result
        if before := self._find(foreseen.key):
            same = before[0] == foreseen.digest
            result = KNOWN if same else Result(RowOutcome.REFUSED, other_words_under_one_id(before[1]))
        elif result == UPDATED and foreseen.makes and self._find(f"made {foreseen.makes}"):
            result = KNOWN
        self._seen.executemany(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)",
            [(key, foreseen.digest, draft.number) for key in (foreseen.key, f"made {foreseen.makes}")],
        )
        return result

    def _find(self, key: str) -> tuple[str, int] | None:
        found: tuple[str, int] | None = self._seen.execute(
            "SELECT digest, row FROM seen WHERE key = ?", [key]
        ).fetchone()
        return found

    def close(self) -> None:
        """Forget it."""
        self._seen.close()


def _hold(run: ImportRun) -> None:
    """Lock the run, and see that nobody else has gone on with it or stopped it."""
    now = ImportRun.objects.select_for_update().get(id=run.id)
    if now.state != ImportState.RUNNING:
        raise Conflict("The import was stopped.")
    if (now.table_index, now.table_row) != (run.table_index, run.table_row):
        raise Conflict("The import is being run by another process.")


def _keep(run: ImportRun, report: ImportReport, refusals: Sequence[Refusal], delivery: Delivery) -> None:
    run.rows_read, run.rows_added, run.rows_updated = report.read, report.added, report.updated
    run.rows_known, run.rows_left_out, run.rows_refused = report.known, report.left_out, report.refused
    run.done_share, run.tries = report.share, 0
    run.save(
        update_fields=[
            "rows_read", "rows_added", "rows_updated", "rows_known", "rows_left_out", "rows_refused", "done_share",
            "tries", "table_index", "table_row",
        ]
    )  # fmt: skip
    if not refusals:
        return
    policy = get_policy(delivery.workspace_id)
    ImportRefusal.objects.bulk_create(
        ImportRefusal(
            workspace_id=delivery.workspace_id,
            run=run,
            table_index=one.table_index,
            row=one.row.number,
            reason=policy.redactor().redact(one.result.reason)[:REASON_LENGTH],
            is_left_out=one.result.outcome == RowOutcome.LEFT_OUT,
            created_at=delivery.now,
        )
        for one in refusals
    )


def _finish(run: ImportRun, now: datetime) -> None:
    assert run.source_id
    ImportRun.objects.filter(id=run.id, state=ImportState.RUNNING).update(
        state=ImportState.FINISHED, finished_at=now, done_share=1
    )
    FeedbackSource.objects.filter(id=run.source_id).update(last_synced_at=now, last_success_at=now)


def _batches(found: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(found, BATCH)):
        yield batch


def _sort(
    batch: Sequence[Row], place: int, table: TablePlan, lander: Lander, delivery: Delivery
) -> tuple[list[Draft], list[Refusal]]:
    drafts, refusals = [], []
    for row in batch:
        try:
            drafts.append(lander.read(row, table, delivery))
        except Invalid as error:
            refusals.append(Refusal(place, row, Result(RowOutcome.REFUSED, error.detail)))
        except LeftOut as reason:
            refusals.append(Refusal(place, row, Result(RowOutcome.LEFT_OUT, str(reason))))
    return drafts, refusals


def _count(report: ImportReport, results: Sequence[Result], refusals: Sequence[Refusal]) -> None:
    report.read += len(results) + len(refusals)
    for result in (*results, *(one.result for one in refusals)):
        name = result.outcome.value
        setattr(report, name, getattr(report, name) + 1)
