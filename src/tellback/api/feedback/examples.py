"""One made-up piece of feedback, for the API's description."""

from typing import Any

REPORT: dict[str, Any] = {
    "feedback_type": "bug",
    "summary": "The invoice list stays empty",
    "description": "Since this morning the list of invoices shows nothing, though there are twelve.",
    "priority": "high",
    "source": "web_app",
    "context": {"browser": "Firefox 145", "os": "Debian 13"},
    "submitter_email": "ada@example.com",
    "submitter_name": "Ada",
}
SUBMITTED: dict[str, Any] = {
    "id": "feedback_01kagn8s5ke8xs6f4rnwsy4n3q",
    "tenant_id": "ws_01kagmzv0zf5arq3pn3b3k1m1h",
    "type": "bug",
    **REPORT,
    "status": "new",
    "submitted_by": None,
    "tags": [],
    "rating": None,
    "github_issue_url": None,
    "public_response": None,
    "created_at": "2026-11-20T10:15:00Z",
    "completed_at": None,
    "response_due_at": "2026-11-23T10:15:00Z",
    "receipt": "https://feedback.example.com/r/QmVmb3JlIHlvdSBhc2sgYWdhaW4",
}
ANSWERED: dict[str, Any] = {
    **SUBMITTED,
    "status": "planned",
    "submitted_by": "principal_01kagn8x3se0fb6z8q3m5w2c4d",
    "public_response": "Thank you. A filter had gone wrong; the list is back tomorrow.",
    "severity": "high",
    "intent": "bug",
    "score": 80,
    "vote_count": 3,
    "assignee": {"id": "principal_01kagmzv1befqs2c4d5w6x7y8z", "name": "Cleo", "email": "cleo@example.com"},
    "duplicate_of": None,
    "responded_at": "2026-11-20T11:40:00Z",
    "response_state": "in_time",
    "sla_breached": False,
    "state": "completed",
    "updated_at": "2026-11-20T13:05:00Z",
}
DETAIL: dict[str, Any] = {
    **ANSWERED,
    "transitions": ["in_review", "in_progress", "completed", "declined", "duplicate"],
    "history": [
        {"at": "2026-11-20T10:15:00Z", "previous": None, "status": "new", "note": "", "actor": None},
        {"at": "2026-11-20T11:40:00Z", "previous": "new", "status": "acknowledged", "note": "", "actor": "Cleo"},
        {
            "at": "2026-11-20T13:05:00Z",
            "previous": "acknowledged",
            "status": "planned",
            "note": "It goes out with the next version.",
            "actor": "Cleo",
        },
    ],
}
PAGE: dict[str, Any] = {
    "results": [ANSWERED],
    "next_cursor": "WyItY3JlYXRlZF9hdCIsIjIwMjYtMTEtMjAi",
    "next": "https://feedback.example.com/api/v1/feedback/?cursor=WyItY3JlYXRlZF9hdCIsIjIwMjYtMTEtMjAi",
}
VOTED: dict[str, Any] = {"id": SUBMITTED["id"], "vote_count": 4, "voted": True}
FIGURES: dict[str, Any] = {
    "total": 21,
    "by_type": {"bug": 12, "ux": 9},
    "by_status": {"planned": 9, "completed": 8, "new": 4},
    "by_priority": {"medium": 15, "high": 6},
    "avg_response_time_hours": 3.25,
    "open_count": 13,
    "resolved_count": 8,
    "overdue_count": 1,
    "late_count": 2,
}
