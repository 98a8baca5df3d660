"""Times that cannot be: refused, or replaced by ours and noted; what is counted by time stays right (ING-08)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tellback.edge.body import check, parse_json, parse_v1
from tellback.edge.keys import OwnSource
from tellback.edge.payloads import Sender, submission_of_v1, submission_of_v2
from tellback.intake import accept
from tellback.intake.accept import CLOCK_LEEWAY, EARLIEST, Submission, accept_batch, prepare
from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.schemas.v2 import FeedbackV2
from tellback.intake.services import ensure_default_sources
from tellback.kernel.errors import Invalid
from tellback.themes.figures import read_figures
from tellback.themes.models import Theme
from tellback.themes.selectors import ThemeFilter, list_themes
from tellback.understanding.models import Signal
from tellback.workspaces.models import KeyKind, Workspace
from tellback.workspaces.selectors import KeyHolder

pytestmark = pytest.mark.trust

#: Just before midnight: what lies a little ahead is tomorrow.
NOW = datetime(2026, 11, 20, 23, 55, tzinfo=UTC)
#: Times that a clock says that is wrong, and one that is ahead by as much as clocks are.
IMPOSSIBLE = ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2026-11-21T00:25:00Z", "2026-11-21T14:25:00+14:00"]
AHEAD = "2026-11-21T00:04:00Z"
REFUSED = ["2016-12-31T23:59:60Z", "2026-11-20T10:00:00", "2026-11-20", "yesterday", "", "9999-12-31T23:59:59-23:00"]
SOURCE = OwnSource(uuid4(), "api", "API", enabled=True)


def read_as_v1(said: object, source: OwnSource = SOURCE) -> Submission:
    body = {
        "idempotencyKey": str(uuid4()), "userId": None, "sessionId": None, "channel": "api", "category": "bug",
        "content": "Late.", "timestamp": said,
    }  # fmt: skip
    return submission_of_v1(parse_v1(json.dumps(body).encode()), sender(source), key=str(uuid4()))


def read_as_v2(said: object, source: OwnSource = SOURCE) -> Submission:
    payload = check(FeedbackV2, parse_json(json.dumps({"content": "Late.", "occurredAt": said}).encode()))
    return submission_of_v2(payload, sender(source), key=str(uuid4()), now=NOW)


def sender(source: OwnSource) -> Sender:
    return Sender(KeyHolder(uuid4(), uuid4(), KeyKind.SECRET, (), None), (source,), timedelta(hours=24))


READERS = [read_as_v1, read_as_v2]
Read = Callable[..., Submission]


def require_believable(read: Read, said: object) -> bool:
    """Whether this time is taken; then it is one that can be, or ours with a note. Otherwise its field is named."""
    try:
        submission = read(said)
    except Invalid as refusal:
        assert {error.pointer for error in refusal.errors} <= {"/timestamp", "/occurredAt"}
        return False
    row = prepare(submission, now=NOW)
    kept, claimed = row["source_created_at"], submission.source_created_at
    note = row["context_envelope"].get("metadata", {}).get("claimedTimestamp")
    assert EARLIEST <= kept <= NOW + CLOCK_LEEWAY
    assert (kept, note) in {(claimed, None), (NOW, claimed.isoformat())}
    assert json.loads(accept.encode([row]))
    return True


times = st.one_of(
    st.builds(
        lambda at, zone: at.isoformat() + zone,
        st.datetimes(),
        st.sampled_from(["Z", "+00:00", "+14:00", "-12:00", "+23:59", "-23:59", "+99:00", "", " ", "z", "−05:00"]),
    ),
    st.text(max_size=30),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
)


@pytest.mark.parametrize("read", READERS)
@given(said=times)
@example(said=AHEAD)
def test_whatever_time_is_said_what_is_kept_can_be(read: Read, said: object) -> None:
    require_believable(read, said)


@pytest.mark.parametrize("read", READERS)
def test_impossible_times_are_taken_and_those_that_are_none_are_refused(read: Read) -> None:
    assert [said for said in [*IMPOSSIBLE, AHEAD] if not require_believable(read, said)] == []
    assert [said for said in REFUSED if require_believable(read, said)] == []


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("said", IMPOSSIBLE)
def test_a_build_that_believes_every_clock_is_caught(read: Read, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    believe_every_clock(monkeypatch)
    with pytest.raises(AssertionError):
        require_believable(read, said)


def believe_every_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept, "_trusted_time", lambda claimed, _now: (claimed, {}))


def require_right_trend(workspace: Workspace) -> None:
    """A theme whose signals all came today, whatever their senders' clocks say, has all of them in this week."""
    ensure_default_sources(workspace=workspace)
    stored = FeedbackSource.objects.get(source_type="api")
    source = OwnSource(stored.id, "api", "API", enabled=True)
    said = [NOW.isoformat(), *IMPOSSIBLE, AHEAD]
    accept_batch(workspace_id=workspace.id, submissions=[read_as_v2(time, source) for time in said], now=NOW)
    theme = Theme.objects.create(workspace=workspace, title="Late")
    Signal.objects.bulk_create(_signal(workspace, theme, item) for item in RawItem.objects.all())
    (row,) = list_themes(ThemeFilter(), now=NOW)
    assert row.weeks == [0] * (len(row.weeks) - 1) + [len(said)]
    figures = read_figures([theme.id])[theme.id]
    assert figures.first
    assert figures.last
    assert NOW - CLOCK_LEEWAY <= figures.first <= figures.last <= NOW + CLOCK_LEEWAY


def _signal(workspace: Workspace, theme: Theme, item: RawItem) -> Signal:
    return Signal(
        workspace=workspace, raw_feedback_item=item, theme_id=theme.id, signal_type="bug_report", summary="Late.",
        evidence=["Late."], evidence_spans=[{"start": 0, "end": 5}], sentiment="neutral", urgency="low",
        extraction_confidence=1.0, processing_state="completed",
    )  # fmt: skip


def test_trends_count_what_came_today_whatever_its_clock_said(workspace: Workspace) -> None:
    require_right_trend(workspace)


def test_a_trend_that_believes_every_clock_is_caught(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    believe_every_clock(monkeypatch)
    with pytest.raises(AssertionError):
        require_right_trend(workspace)
