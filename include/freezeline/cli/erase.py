"""``erase``: plan and apply the erasure of a person, session or tenant."""

import os
import sys
from datetime import UTC, datetime

import click

from include.freezeline.cli.land import parse_as_of
from include.freezeline.settings import load_settings


@click.command("erase")
@click.option(
    "--subject",
    "subject_text",
    required=True,
    metavar="SUBJECT",
    help="user:ID, session:ID or tenant:ID as the source sends the id, or a pseudonym key (u_...); "
    "- reads it from standard input, so that no shell history keeps it.",
)
@click.option(
    "--before",
    "before_text",
    metavar="TIME",
    help="Exclusive end of the events that are meant, ISO 8601; now by default.",
)
@click.option(
    "--apply",
    "plan_id",
    metavar="PLAN_ID",
    help="Carry out this plan, as an earlier call printed it; its time holds.",
)
def command(subject_text: str, before_text: str | None, plan_id: str | None) -> None:
    """Find every row of SUBJECT in every store, and with --apply remove it for good.

    Without --apply nothing is changed: the plan and its id are printed. The id that the source
    sends is turned into its pseudonym at once and is never stored.
    """
    from include.freezeline.erasure.subject import parse_subject
    from include.freezeline.jobs.erase import apply_erasure, plan_erasure

    settings = load_settings(os.environ)
    given = sys.stdin.readline().rstrip("\r\n") if subject_text == "-" else subject_text
    subject = parse_subject(given, settings.required_pseudonym_key())
    if plan_id is None:
        before_at = datetime.now(UTC) if before_text is None else parse_as_of(before_text)
        plan = plan_erasure(settings, subject, before_at.replace(microsecond=0))
        lines = [
            f"pseudonym key: {subject.key}",
            *plan.lines(),
            f"nothing was changed; to do it: erase --subject ... --apply {plan.plan_id}",
        ]
    elif before_text is not None:
        message = "--before belongs to the plan (make a new plan, or leave it out)"
        raise click.UsageError(message)
    else:
        lines = apply_erasure(settings, subject, plan_id).lines()
    for line in lines:
        click.echo(line)
