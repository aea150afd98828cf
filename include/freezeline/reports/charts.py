"""The report's charts as inline SVG: no scripts, no fonts, no dates, the same bytes each time.

They are written by hand rather than by a plotting library: colours come from the page's style
sheet, so one file serves light, dark and print, and text stays text for screen readers and
search. Every value is escaped, since labels come from the warehouse.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from include.freezeline.reports.formats import count, day, percent
from include.freezeline.reports.model import BurnDown, BurnPoint, Contributor

_WIDTH = 960.0
_LEFT = 52.0
_RIGHT = 12.0
_MAX_BARS = 6


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps values linearly to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.start + (value - self.low) / span * (self.end - self.start)


def burn_down_chart(burn: BurnDown, label: str) -> Markup:
    """Draw the remaining budget against the even-spend line, with traffic beneath.

    The vertical axis reaches below zero as far as the budget is overspent: an overdraft is shown,
    never clipped.

    Args:
        burn: Days of the window.
        label: What a screen reader says instead of the picture.
    """
    points = [point for point in burn.points if point.remaining_ratio is not None]
    if len(points) < 2:
        return _nothing("Not enough nights for a burn-down yet.")
    values = [point.remaining_ratio for point in points if point.remaining_ratio is not None]
    across = _Scale(0, len(points), _LEFT, _WIDTH - _RIGHT)
    ticks = _ticks(min(values), max(values))
    up = _Scale(ticks[0], ticks[-1], 210, 16)
    parts = [_grid(ticks, up), _below_zero(up, ticks[0])]
    # What a day spent shows at the day's end.
    line = [(across(place + 1), up(value)) for place, value in enumerate(values)]
    if burn.basis == "event_day":
        parts.append(_line("even", [(across(0), up(1.0)), (across(len(points)), up(0.0))]))
        line.insert(0, (across(0), up(1.0)))
    parts.append(_line("left", line))
    parts.append(_end_mark(line[-1], values[-1]))
    parts.append(_volume(points, across))
    parts.append(_dates(points, across, 292))
    return _svg(300, label, parts)


def day_strip(points: Sequence[BurnPoint], limit: float, label: str) -> Markup:
    """Draw one cell per day, darker the worse the day was; a line marks days over the limit.

    Args:
        points: Days in time order.
        limit: Allowed bad ratio.
        label: What a screen reader says instead of the picture.
    """
    if not points:
        return _nothing("No day to show yet.")
    step = (_WIDTH - _LEFT - _RIGHT) / len(points)
    parts = []
    for place, point in enumerate(points):
        x = _LEFT + place * step
        parts.append(_cell(point, limit, x, step))
    across = _Scale(0, len(points), _LEFT, _WIDTH - _RIGHT)
    parts.append(_dates(points, across, 62))
    return _svg(70, label, parts)


def contributor_bars(contributors: Sequence[Contributor], label: str) -> Markup:
    """Draw bad events beyond, or under, each value's allowance.

    Args:
        contributors: Values of one dimension, the largest excess first.
        label: What a screen reader says instead of the picture.
    """
    shown = list(contributors[:_MAX_BARS])
    if not shown:
        return _nothing("No contributor is known.")
    left = 190.0
    room = 64.0
    values = [item.excess_bad_count for item in shown]
    low, high = min(0.0, *values), max(0.0, *values)
    # Numbers stand outside their bars, so each side that has bars keeps room for them.
    pad = room if low < 0 else 0.0
    across = _Scale(low, high if high > low else low + 1, left + pad, _WIDTH - room)
    parts = [_bar(item, row * 30 + 4, across, left) for row, item in enumerate(shown)]
    height = len(shown) * 30 + 8
    zero = across(0)
    parts.append(
        Markup('<line class="zero" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(
            zero, height
        )
    )
    return _svg(height, label, parts)


def _bar(item: Contributor, y: float, across: _Scale, left: float) -> Markup:
    """Draw one contributor: its name, its bar and its number."""
    start, end = sorted((across(0), across(item.excess_bad_count)))
    over = item.excess_bad_count > 0
    sign = "+" if over else ""
    text_x, anchor = (end + 6, "start") if over else (start - 6, "end")
    return Markup(
        '<g><title>{title}</title><text class="name" x="{name_x:.1f}" y="{text_y:.1f}" '
        'text-anchor="end">{name}</text><rect class="{kind}" x="{x:.1f}" y="{y:.1f}" '
        'width="{width:.1f}" height="20" rx="2"/><text x="{text_x:.1f}" y="{text_y:.1f}" '
        'text-anchor="{anchor}">{number}</text></g>'
    ).format(
        title=f"{item.value}: {count(item.bad_count)} bad of {count(item.event_count)} events",
        name=_shorten(item.value, 24),
        name_x=left - 10,
        kind="bad" if over else "good",
        x=start,
        y=y,
        width=max(1.0, end - start),
        text_x=text_x,
        text_y=y + 14.5,
        anchor=anchor,
        number=f"{sign}{count(item.excess_bad_count)}",
    )


def _cell(point: BurnPoint, limit: float, x: float, step: float) -> Markup:
    """Draw one day; a day without events is hollow, since no data is not a good day."""
    ratio = point.bad_ratio
    if ratio is None or point.event_count == 0:
        kind, opacity = "none", 1.0
        text = f"{day(_start(point))}: no events"
    else:
        kind = "bad" if ratio >= limit else "good"
        strength = min(1.0, ratio / limit / 3) if limit > 0 else 1.0
        opacity = 0.25 + 0.75 * strength
        text = (
            f"{day(_start(point))}: {percent(ratio)} bad, {count(point.bad_count)} of "
            f"{count(point.event_count)} events"
        )
    return Markup(
        '<rect class="{}" x="{:.1f}" y="8" width="{:.1f}" height="34" rx="2" '
        'opacity="{:.2f}"><title>{}</title></rect>'
    ).format(kind, x + 1, step - 2, opacity, text)


def _volume(points: Sequence[BurnPoint], across: _Scale) -> Markup:
    """Draw the traffic of each day beneath the budget."""
    most = max(point.event_count for point in points) or 1
    high = _Scale(0, most, 274, 232)
    step = across(1) - across(0)
    bars = []
    for place, point in enumerate(points):
        top, bad_top = high(point.event_count), high(point.bad_count)
        x = across(place) + 1.5
        bars.append(
            Markup(
                '<g><title>{}</title><rect class="traffic" x="{:.1f}" y="{:.1f}" width="{:.1f}" '
                'height="{:.1f}"/><rect class="bad" x="{:.1f}" y="{:.1f}" width="{:.1f}" '
                'height="{:.1f}"/></g>'
            ).format(
                f"{day(_start(point))}: {count(point.event_count)} events, "
                f"{count(point.bad_count)} bad",
                x,
                top,
                max(1.0, step - 3),
                274 - top,
                x,
                bad_top,
                max(1.0, step - 3),
                274 - bad_top,
            )
        )
    name = Markup('<text class="axis" x="{}" y="256" text-anchor="end">events</text>')
    return Markup("").join([name.format(_LEFT - 8), *bars])


def _dates(points: Sequence[BurnPoint], across: _Scale, y: float) -> Markup:
    """Write a date under every seventh day."""
    return Markup("").join(
        Markup('<text class="axis" x="{:.1f}" y="{}">{}</text>').format(
            across(place) + 1, y, day(_start(points[place]))
        )
        for place in range(0, len(points), 7)
    )


def _grid(ticks: Sequence[float], up: _Scale) -> Markup:
    """Draw the lines and labels of the vertical axis; zero is where the budget is gone."""
    return Markup("").join(
        Markup(
            '<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
            '<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(
            "zero" if tick == 0 else "grid",
            _LEFT,
            _WIDTH - _RIGHT,
            up(tick),
            up(tick),
            _LEFT - 8,
            up(tick) + 4,
            percent(tick),
        )
        for tick in ticks
    )


def _below_zero(up: _Scale, lowest: float) -> Markup:
    """Shade the overdraft."""
    if lowest >= 0:
        return Markup("")
    return Markup('<rect class="over" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
        _LEFT, up(0), _WIDTH - _LEFT - _RIGHT, up(lowest) - up(0)
    )


def _end_mark(at: tuple[float, float], value: float) -> Markup:
    """Mark and label the last point, below the line, which falls from the left."""
    text = f"{percent(value)} left" if value >= 0 else f"{percent(-value)} overspent"
    return Markup(
        '<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="4"/>'
        '<text class="value" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(at[0] - 1, at[1], at[0] - 26, at[1] + 6, text)


def _line(kind: str, places: Sequence[tuple[float, float]]) -> Markup:
    """Draw a line through places."""
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, text)


def _ticks(lowest: float, highest: float) -> list[float]:
    """Return three to seven round ticks that include 0 and 1 and reach past the lowest value."""
    top = 1.0 if highest <= 1 else highest
    span = top - min(0.0, lowest)
    step = next((size for size in (0.25, 0.5, 1.0, 2.0, 5.0, 10.0) if span / size <= 6), span / 4)
    low = 0.0
    while low > lowest:
        low -= step
    ticks = [low]
    while ticks[-1] < top - 1e-9:
        ticks.append(round(ticks[-1] + step, 6))
    return ticks


def _start(point: BurnPoint) -> datetime:
    """Return a moment inside the day that the point ends."""
    return point.at - timedelta(microseconds=1)


def _shorten(text: str, length: int) -> str:
    """Cut a long label; the full one is in the table."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _nothing(text: str) -> Markup:
    """Say that there is nothing to draw."""
    return Markup('<p class="muted">{}</p>').format(text)


def _svg(height: float, label: str, parts: Sequence[Markup]) -> Markup:
    """Wrap shapes into a labelled picture that scales with the page."""
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {:.0f} {:.0f}" aria-label="{}">{}</svg>'
    ).format(_WIDTH, height, escape(label), Markup("").join(parts))
