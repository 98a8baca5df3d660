"""Makes what the intake measurement needs in a fresh database; run as a process, reports JSON on stdout."""

from tellback.cli.environment import ready
from tellback.cli.output import print_json

#: Requests a minute: more than any machine sends.
UNLIMITED = 2_000_000_000


def prepare() -> dict[str, str]:
    """A workspace with a key that no rate limit holds back."""
    with ready():
        from tellback.cli.bootstrap import ensure_installation
        from tellback.intake.models import FeedbackSource
        from tellback.platform.tenancy import in_workspace
        from tellback.workspaces.models import KeyKind, Workspace
        from tellback.workspaces.services import issue_key

        installation = ensure_installation()
        with in_workspace(installation.workspace_id):
            issued = issue_key(
                workspace=Workspace.objects.get(), kind=KeyKind.SECRET, name="Bench", rate_limit=UNLIMITED
            )
            source = FeedbackSource.objects.get(source_type="api")
        return {
            "key": issued.secret,
            "workspace_id": str(installation.workspace_id),
            "source_id": str(source.id),
        }


if __name__ == "__main__":
    print_json(prepare())
