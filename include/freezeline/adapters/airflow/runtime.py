"""What a task body needs from Airflow: its night, its settings, and failures people can read."""

import logging
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.freezeline.errors import (
    AccountingError,
    BreakGlassError,
    CheckFailedError,
    ConfigError,
    EmptyNightError,
    ErasureError,
    FreezelineError,
    LabellingError,
    RetentionError,
    StoreAccessError,
    StoreNotFoundError,
)
from include.freezeline.settings import Settings, load_settings

_progress_log = logging.getLogger("freezeline.progress")

# Trying again cannot mend these: a person has to change something first.
_PERMANENT = (
    AccountingError,
    BreakGlassError,
    CheckFailedError,
    ConfigError,
    EmptyNightError,
    ErasureError,
    LabellingError,
    RetentionError,
    StoreAccessError,
    StoreNotFoundError,
)


@dataclass(frozen=True, slots=True)
class Night:
    """The interval a run works on, ``[start, as_of)`` in UTC."""

    start: datetime
    as_of: datetime


def current_night() -> Night:
    """Return the interval of the running task.

    The params ``interval_start`` and ``interval_end`` win over the run's data interval, so that
    one run can work through weeks of history.

    Raises:
        AirflowFailException: The interval is empty or turned around.
    """
    context = get_current_context()
    params = context["params"]
    start = _instant(params.get("interval_start")) or context["data_interval_start"]
    as_of = _instant(params.get("interval_end")) or context["data_interval_end"]
    if start is None or as_of is None or start >= as_of:
        message = (
            f"interval_start must be before interval_end, got {start} and {as_of} "
            "(set both params, e.g. 2026-09-01T00:00:00Z and 2026-10-13T00:00:00Z)"
        )
        raise AirflowFailException(message)
    return Night(start=_plain_utc(start), as_of=_plain_utc(as_of))


def current_params() -> dict[str, Any]:
    """Return the params of the running task."""
    return dict(get_current_context()["params"])


def moment_of(param: str) -> datetime:
    """Return the time that a param names, to the second; the run's own time without one."""
    context = get_current_context()
    given = _instant(context["params"].get(param)) or context["dag_run"].run_after
    return _plain_utc(given).replace(microsecond=0)


def now() -> datetime:
    """Return the time of the task, for what is about the present: is a night too old to tell?"""
    return datetime.now(UTC)


def task_settings() -> Settings:
    """Read the settings of the running worker."""
    return load_settings(os.environ)


def progress(message: str) -> None:
    """Show that a long task is alive; the message holds counts, never data."""
    _progress_log.info(message)


def run(job: Callable[..., Any], /, *args: object, **kwargs: object) -> dict[str, Any]:
    """Call a job and return its summary as plain values for XCom.

    Raises:
        AirflowFailException: The job failed in a way a retry cannot mend; the message says what
            to do. Other errors pass through and are retried.
    """
    try:
        summary = job(*args, **kwargs)
    except _PERMANENT as error:
        raise AirflowFailException(str(error)) from None
    except FreezelineError as error:
        # Without the chain the log's last line is the message itself.
        raise type(error)(str(error)) from None
    return _plain(summary)


def run_night(job: Callable[..., Any], /, *args: object, **kwargs: object) -> dict[str, Any]:
    """Call a job with the task's settings and its night's ``as_of`` before what is given."""
    return run(job, task_settings(), current_night().as_of, *args, **kwargs)


def skip_unless(condition: object, reason: str) -> None:
    """Skip the task, with the reason in its log, unless the condition holds."""
    if not condition:
        raise AirflowSkipException(reason)


def _instant(text: object) -> datetime | None:
    """Parse an ISO timestamp param; a missing offset means UTC."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        message = f"params: {text!r} is not an ISO timestamp (write 2026-10-13T00:00:00Z)"
        raise AirflowFailException(message) from None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC)


def _plain_utc(moment: datetime) -> datetime:
    """Turn Airflow's pendulum instants into standard ones; their arithmetic drops time zones."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _plain(summary: Any) -> dict[str, Any]:
    """Turn a summary dataclass into JSON-friendly values."""
    values = asdict(summary) if is_dataclass(summary) and not isinstance(summary, type) else {}
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    """Keep numbers, texts and containers of them; everything else becomes its text."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(item) for item in value]
    return str(value)
