"""`tellback secret`: what is sealed under which secret, and sealing it anew after a rotation."""

from pathlib import Path
from typing import Annotated

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, print_rows, say
from tellback.kernel.errors import Conflict

app = typer.Typer(help="Change the secret key or the vault key without losing anything.", no_args_is_help=True)

COLUMNS = {"what": "Sealed", "sealed": "In all", "former": "Under a former secret"}
DIGESTS, LEDGER = "key of digests", "keys in the ledger of erasures"


@app.command("status")
def status(as_json: AsJson = False) -> None:
    """What is sealed, and how much of it still needs a former secret.

    Example: [bold]tellback secret status[/]
    """
    with ready():
        from django.conf import settings

        from tellback.intake.subjects import ledger
        from tellback.platform.digests import count_digest_keys
        from tellback.platform.resealing import standings

        rows = [{"what": one.what, "sealed": one.sealed, "former": one.former} for one in standings()]
        for what, (every, former) in (
            (DIGESTS, count_digest_keys()),
            (LEDGER, ledger.count_keys(Path(settings.ERASURE_LEDGER))),
        ):
            rows.append({"what": what, "sealed": every, "former": former})
    print_rows(rows, columns=COLUMNS, empty="Nothing is sealed yet.", as_json=as_json)
    if not as_json:
        left = any(row["former"] for row in rows)
        say("Seal them anew with: tellback secret reseal" if left else "No former secret is needed.")


@app.command("reseal")
def reseal(as_json: AsJson = False) -> None:
    """Seal everything anew under the present secrets, beside the running installation. Safe to end and to repeat.

    First name the former key in TELLBACK_SECRET_KEY_FORMER or TELLBACK_VAULT_KEY_FORMER, and restart every process.

    Example: [bold]tellback secret reseal[/]
    """
    with ready():
        from django.conf import settings
        from django.db import transaction
        from django.utils import timezone

        from tellback.intake.subjects import ledger
        from tellback.platform.digests import reseal_digest_key
        from tellback.platform.resealing import reseal_all

        done = reseal_all()
        with transaction.atomic():
            done[DIGESTS] = int(reseal_digest_key())
        done[LEDGER] = ledger.reseal(Path(settings.ERASURE_LEDGER), now=timezone.now())
    if as_json:
        print_json(done)
    else:
        said = ", ".join(f"{count} {what}" for what, count in done.items() if count)
        say(f"Sealed anew: {said}." if said else "Everything was under the present secrets already.")


@app.command("renew-digests")
def renew_digests(yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False) -> None:
    """Make another key of digests: only when the secret that the present one needs is lost for good.

    Earlier erasures, imported rows and repeated requests are not recognised any more.
    """
    with ready():
        from django.db import transaction

        from tellback.platform.digests import renew_digest_key

        question = "Make another key? Earlier erasures and imported rows are not recognised any more."
        if not yes and not typer.confirm(question, err=True):
            raise Conflict("Nothing was changed.")
        with transaction.atomic():
            renew_digest_key()
    say("There is another key of digests. Restart every process.")
