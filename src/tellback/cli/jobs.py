"""`tellback jobs`: what waits, runs and failed; retrying and discarding what failed."""

import json
from typing import Annotated

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, print_rows, say
from tellback.kernel.errors import Invalid

app = typer.Typer(help="See jobs, and retry or discard those that failed.", no_args_is_help=True)

COLUMNS = {
    "id": "Job",
    "status": "Status",
    "queue": "Queue",
    "name": "What",
    "attempts": "Runs",
    "at": "Since",
    "error": "Last error",
}


@app.command("list")
def list_jobs(
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were given up.")] = False,
    queue: Annotated[str, typer.Option(help="Only this queue.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Jobs that wait, run or failed, newest first. Finished ones are not listed.

    Example: [bold]tellback jobs list --failed[/]
    """
    with ready():
        from tellback.platform.dead_letters import list_jobs as listed
        from tellback.platform.jobs import QUEUE_NAMES, find_queue

        statuses = ["failed"] if failed else ["todo", "doing", "failed"]
        chosen = find_queue(queue) if queue else None
        if queue and chosen is None:
            known = ", ".join(sorted(QUEUE_NAMES.values()))
            raise Invalid(f"There is no queue {queue}. The queues are {known}.")
        found = listed(statuses=statuses, queue=chosen.value if chosen else None, limit=limit)
        rows = [{**job.as_row(), "queue": QUEUE_NAMES.get(job.queue, job.queue)} for job in found]
    print_rows(rows, columns=COLUMNS, empty="No job failed." if failed else "No job waits.", as_json=as_json)


@app.command("show")
def show(
    job_id: Annotated[int, typer.Argument(metavar="JOB", help="Number from: jobs list")],
    as_json: AsJson = False,
) -> None:
    """One job: what it is for, and why its last run failed.

    Example: [bold]tellback jobs show 17[/]
    """
    with ready():
        from tellback.platform.dead_letters import show_job

        job, arguments = show_job(job_id)
    if as_json:
        print_json({**job.as_row(), "arguments": arguments})
        return
    for name, value in job.as_row().items():
        typer.echo(f"{COLUMNS[name]:<11} {value if value is not None else ''}")
    typer.echo(f"{'For':<11} {json.dumps(arguments, indent=2, ensure_ascii=False)}")


@app.command("retry")
def retry(
    job_ids: Annotated[list[int] | None, typer.Argument(metavar="JOB...", help="Numbers from: jobs list")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try failed jobs again, from a full set of attempts.

    Example: [bold]tellback jobs retry --all[/]
    """
    _require_choice(job_ids, everything)
    with ready():
        from tellback.platform.dead_letters import retry_jobs

        count = retry_jobs(None if everything else job_ids)
    _report(count, job_ids, "will be tried again", as_json=as_json)


@app.command("discard")
def discard(
    job_ids: Annotated[list[int] | None, typer.Argument(metavar="JOB...", help="Numbers from: jobs list")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that failed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete failed jobs for good. The feedback they were for stays; feedback that was set aside goes with its job."""
    _require_choice(job_ids, everything)
    if not yes:
        typer.confirm("Delete these failed jobs for good?", abort=True, err=True)
    with ready():
        from tellback.platform.dead_letters import discard_jobs

        count = discard_jobs(None if everything else job_ids)
    _report(count, job_ids, "deleted", as_json=as_json)


def _require_choice(job_ids: list[int] | None, everything: bool) -> None:
    if bool(job_ids) == everything:
        raise Invalid("Name the jobs (numbers from “tellback jobs list --failed”), or say --all.")


def _report(count: int, job_ids: list[int] | None, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"jobs": count})
    else:
        say(f"{count} failed {'job' if count == 1 else 'jobs'} {what}.")
    missing = len(set(job_ids or [])) - count
    if missing > 0:
        say(f"{missing} of the numbers given {'is' if missing == 1 else 'are'} not those of a failed job.")
        raise typer.Exit(4 if count else 1)
