"""Views of the report model: HTML for people, Markdown for pull requests and terminals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from include.freezeline.reports import charts, formats, sentences
from include.freezeline.reports.model import Contributor, Finding, FreezeReport, SloStatus

_MAX_CONTRIBUTORS = 4
_MAX_NAME = 30
_INSTANT = re.compile(r"([A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}Z)")
_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]<>|~#])")


def render_html(report: FreezeReport) -> str:
    """Return the report as one self-contained HTML page: no scripts, nothing loaded."""
    return html_environment().get_template("freeze_report.html.j2").render(report=report)


def render_markdown(report: FreezeReport) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    text = _markdown_environment().get_template("freeze_report.md.j2").render(report=report)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def html_environment() -> Environment:
    """Return the environment of the HTML views, which escapes every value."""
    made = Environment(
        loader=PackageLoader("include.freezeline.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(_FILTERS)
    made.globals.update(burn_chart=_burn_chart, strip=_strip, bars=_bars)
    return made


@cache
def _markdown_environment() -> Environment:
    """Return the environment of the Markdown view, where values cannot become markup either."""
    made = Environment(
        loader=PackageLoader("include.freezeline.reports"),
        autoescape=False,  # noqa: S701 - not HTML; finalize escapes Markdown's own signs
        undefined=StrictUndefined,
        finalize=_escape_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(_FILTERS)
    return made


def _escape_markdown(value: object) -> str:
    """Escape what Markdown or HTML would read as markup, and keep a value on its line."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", " ".join(str(value).split())).replace("&", "&amp;")


def _dated(text: str) -> Markup:
    """Escape a sentence and keep its instants on one line."""
    return Markup(_INSTANT.sub(r'<span class="t">\1</span>', str(escape(text))))  # noqa: S704 - escaped


def _about(finding: Finding) -> str:
    """Return the part of the traffic that a verdict is about."""
    named = {
        "model": finding.model,
        "prompt version": finding.prompt_version,
        "tenant": finding.tenant_key,
    }
    return ", ".join(f"{name} {value}" for name, value in named.items() if value) or "all traffic"


@dataclass(frozen=True, slots=True)
class _Thin:
    """A question without enough evidence and the parts of the traffic it could not answer for."""

    question: str
    family: str
    parts: str
    n_current: int
    n_reference: int
    reason: str


def _thin(findings: Sequence[Finding]) -> list[_Thin]:
    """Gather findings without evidence by question, each with its largest sample sizes."""
    by_question: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        by_question.setdefault((item.family, item.question), []).append(item)
    return [
        _Thin(
            question,
            family,
            "; ".join(_about(item) for item in items),
            max(item.n_current for item in items),
            max(item.n_reference for item in items),
            items[0].reason,
        )
        for (family, question), items in sorted(by_question.items())
    ]


def _all_thin(findings: Sequence[Finding]) -> str:
    """Say in one line that no question of an environment could be judged."""
    largest = max(item.n_current for item in findings)
    n = len(findings)
    subject = "The only question could not" if n == 1 else f"None of {n} questions could"
    return (
        f"{subject} be judged: too little data, "
        f"{formats.count(largest)} in the largest sample. That is not ok, it is unknown."
    )


def _leading(contributors: Sequence[Contributor]) -> list[Contributor]:
    """Keep the values that matter of each dimension for people; JSON has all of them."""
    seen: dict[str, int] = {}
    kept = []
    for item in contributors:
        seen[item.dimension] = seen.get(item.dimension, 0) + 1
        if seen[item.dimension] <= _MAX_CONTRIBUTORS:
            kept.append(item)
    return kept


def _short(text: str) -> str:
    """Shorten a pseudonym or another long name; JSON has it in full."""
    return text if len(text) <= _MAX_NAME else f"{text[:10]}…"


def _exhaustion(slo: SloStatus) -> str:
    """Return the time to exhaustion; without traffic it is unknown."""
    if slo.burn_rate_24h is None:
        return formats.UNKNOWN
    return formats.hours(slo.time_to_exhaustion_h)


def _burn_chart(slo: SloStatus) -> Markup:
    """Draw an SLO's burn-down."""
    label = (
        f"Burn-down of the error budget of {slo.slo_name}: "
        f"{formats.percent(slo.remaining_ratio)} left at {formats.utc(slo.window_ended_at)}."
    )
    return charts.burn_down_chart(slo.burn_down, label)


def _strip(slo: SloStatus) -> Markup:
    """Draw the days of an SLO's window."""
    judged = [point for point in slo.burn_down.points if point.bad_ratio is not None]
    over = sum((point.bad_ratio or 0.0) >= slo.limit for point in judged)
    label = f"{over} of {len(judged)} days with events were over the limit of {slo.slo_name}."
    return charts.day_strip(slo.burn_down.points, float(slo.limit), label)


def _bars(slo: SloStatus, dimension: str) -> Markup:
    """Draw the contributors of one dimension."""
    cut = [item for item in slo.contributors if item.dimension == dimension]
    named = "; ".join(
        f"{_short(item.value)} {formats.count(item.excess_bad_count)}" for item in cut[:6]
    )
    label = f"Excess bad events by {sentences.dimension(dimension)}: {named}."
    return charts.contributor_bars(cut, label)


_FILTERS = {
    "about": _about,
    "all_thin": _all_thin,
    "count": formats.count,
    "date": lambda moment: f"{moment:%Y-%m-%d}",
    "dated": _dated,
    "dimension": sentences.dimension,
    "exhaustion": _exhaustion,
    "leading": _leading,
    "measure": formats.measure,
    "number": formats.number,
    "percent": formats.percent,
    "plural": formats.plural,
    "short": _short,
    "thin": _thin,
    "utc": formats.utc,
    "window_days": sentences.window_days,
}
