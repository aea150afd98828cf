"""The method box: each formula of the report with the SLO's own numbers put in."""

# Formulas are read by people, so they use the signs of arithmetic.
# ruff: noqa: RUF001

from decimal import Decimal

from include.freezeline.reports.formats import count, hours, number, percent, utc
from include.freezeline.reports.model import Contributor, MethodLine
from include.freezeline.reports.queries import Row


def method_lines(window: Row, limit: Decimal, main: Contributor | None) -> tuple[MethodLine, ...]:
    """Return the formulas behind a window, in reading order.

    Args:
        window: A row of the SLO windows.
        limit: Allowed bad ratio, exact.
        main: The contributor the sentence names; None when there is none.
    """
    lines = [
        _budget(window, limit),
        _consumed(window, limit),
        _nowcast(window),
        _worst_case(window, limit),
        _evidence(window, limit),
        _burn(window, limit),
        _exhaustion(window),
    ]
    if main is not None:
        lines.append(_excess(main, limit))
    return tuple(line for line in lines if line is not None)


def _budget(window: Row, limit: Decimal) -> MethodLine:
    """Explain the budget."""
    events = window["event_count"]
    sign = "fewer than" if window["op"] == "lt" else "at most"
    return MethodLine(
        "Error budget",
        "limit × events in [window start, window end)",
        f"{percent(limit)} × {count(events)} = {count(limit * events)} bad events "
        f"({sign} that) in [{utc(window['window_started_at'])}, {utc(window['window_ended_at'])})",
    )


def _consumed(window: Row, limit: Decimal) -> MethodLine:
    """Explain the consumed share."""
    allowed = limit * window["event_count"]
    return MethodLine(
        "Budget spent",
        "known bad events ÷ error budget",
        f"{count(window['bad_count'])} ÷ {count(allowed)} = "
        f"{percent(window['consumed_lower_ratio'])}",
    )


def _nowcast(window: Row) -> MethodLine:
    """Explain the share that the thaw looks at; a freeze looks at the known one."""
    return MethodLine(
        "Budget spent with the nowcast",
        "(known bad + 97.5% bound of what pending outcomes will still show, from the delays seen "
        "so far) ÷ error budget; releases freeze on what is known and thaw on this",
        f"{count(window['pending_count'])} pending: {percent(window.get('consumed_nowcast_ratio'))}",
    )


def _worst_case(window: Row, limit: Decimal) -> MethodLine:
    """Explain the worst case, which decides nothing."""
    allowed = limit * window["event_count"]
    return MethodLine(
        "Worst case, every pending outcome turns bad",
        "(known bad + pending) ÷ error budget; it decides nothing",
        f"({count(window['bad_count'])} + {count(window['pending_count'])}) ÷ {count(allowed)} = "
        f"{percent(window['consumed_upper_ratio'])}",
    )


def _evidence(window: Row, limit: Decimal) -> MethodLine:
    """Explain the evidence that the limit is exceeded."""
    return MethodLine(
        "Evidence",
        "Jeffreys posterior of the bad ratio, Beta(bad + ½, good + ½)",
        f"bad ratio {percent(window['bad_lower_ratio'])}, 95% interval "
        f"{percent(window['bad_interval_lower_ratio'])} to "
        f"{percent(window['bad_interval_upper_ratio'])}; "
        f"P(bad ratio ≥ {percent(limit)}) = {number(window['p_breach'])}",
    )


def _burn(window: Row, limit: Decimal) -> MethodLine:
    """Explain the burn rate of the last day."""
    return MethodLine(
        "Burn in the last 24 h",
        "bad ratio of the last 24 h ÷ limit; 1 spends the budget exactly in the window",
        f"({count(window['bad_24h_count'])} ÷ {count(window['event_24h_count'])}) ÷ "
        f"{percent(limit)} = {number(window['burn_rate_24h'])}",
    )


def _exhaustion(window: Row) -> MethodLine:
    """Explain the time to exhaustion."""
    consumed = window["consumed_lower_ratio"]
    left = None if consumed is None else max(0.0, 1 - consumed)
    window_h = (window["window_ended_at"] - window["window_started_at"]).total_seconds() / 3600
    burn = window["burn_rate_24h"]
    when = "unknown" if burn is None else hours(window["time_to_exhaustion_h"])
    return MethodLine(
        "Time to exhaustion",
        "share of the budget left × window ÷ burn in the last 24 h; a burn up to 1 never spends "
        "a rolling window's budget",
        f"{percent(left)} × {count(window_h)} h ÷ {number(burn)}: {when}",
    )


def _excess(main: Contributor, limit: Decimal) -> MethodLine:
    """Explain the ranking of contributors."""
    return MethodLine(
        f"Excess of {main.value}",
        "its bad events − limit × its events; its share is of all positive excess in the same cut",
        f"{count(main.bad_count)} − {percent(limit)} × {count(main.event_count)} = "
        f"{count(main.excess_bad_count)}, {percent(main.excess_share_ratio)} of the excess",
    )
