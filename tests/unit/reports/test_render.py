"""The views: nothing from the warehouse becomes markup, and nothing is loaded from outside."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.reports.charts import burn_down_chart, contributor_bars, day_strip
from include.freezeline.reports.freeze_report import build_report
from include.freezeline.reports.model import (
    BurnDown,
    BurnPoint,
    Contributor,
    FreezeReport,
)
from include.freezeline.reports.page import PageState, page_json, render_page
from include.freezeline.reports.render import render_html, render_markdown
from tests.unit.reports.sample_night import FROZEN_FEATURE, memory_warehouse, write_night

_AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
_HOSTILE = '<script>alert("x")</script>&\'"><img src=x onerror=y>'
_VOID = {"meta", "br"}
_ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "nav", "footer",
    "h1", "h2", "h3", "p", "div", "a", "span", "strong", "em", "code", "br", "ul", "li", "time",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "details",
    "summary", "dl", "dt", "dd", "svg", "g", "text", "rect", "line", "polyline", "circle",
}  # fmt: skip


class _Outline(HTMLParser):
    """Collects tags, attributes and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _outline(html: str) -> _Outline:
    parsed = _Outline()
    parsed.feed(html)
    parsed.close()
    assert parsed.open == []
    assert parsed.tags
    return parsed


@cache
def _report() -> FreezeReport:
    with memory_warehouse() as opened:
        write_night(opened, _AS_OF)
        return build_report(opened, _AS_OF)


def _with_text(report: FreezeReport, text: str) -> FreezeReport:
    """Put a text everywhere the warehouse may bring one from."""
    first = report.features[0]
    slo = first.slos[0]
    contributors = tuple(replace(item, value=text) for item in slo.contributors)
    slo = replace(
        slo,
        slo_name=text,
        objective=text,
        reason=text,
        evidence_query=text,
        contributors=contributors,
        main_contributor=contributors[0],
    )
    assert first.flag is not None
    flag = replace(first.flag, slo_name=text, reason=text)
    moves = tuple(replace(move, reason=text, actor=text) for move in first.transitions)
    findings = report.features[1].findings
    raised = tuple(
        replace(item, question=text, reason=text, model=text, tenant_key=text, unit=text)
        for item in findings.raised
    )
    assert contributors
    assert moves
    assert raised
    changed = replace(
        first,
        feature=text,
        environment=text,
        sentence=text,
        flag=flag,
        slos=(slo,),
        transitions=moves,
        findings=replace(findings, raised=raised),
        what_next=(text,),
    )
    assert report.night is not None
    night = replace(
        report.night,
        sources=tuple(replace(item, source_name=text) for item in report.night.sources),
        quarantine=tuple(replace(item, reason=text) for item in report.night.quarantine),
    )
    checks = tuple(
        replace(item, expectation=text, message=text, suite_name=text)
        for item in report.failed_checks
    )
    return replace(
        report,
        headline=text,
        features=(changed, *report.features[1:]),
        night=night,
        failed_checks=checks,
    )


def test_html_is_well_formed_and_accessible_when_rendered() -> None:
    html = render_html(_report())
    outline = _outline(html)
    assert set(outline.tags) <= _ALLOWED
    assert '<html lang="en">' in html
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("caption") == outline.tags.count("table") > 5
    assert html.count('<svg class="chart" role="img"') == html.count("<svg") > 3
    assert re.search(r'<svg [^>]*aria-label="Burn-down of the error budget', html)


def test_html_loads_nothing_when_opened() -> None:
    outline = _outline(render_html(_report()))
    links = [value or "" for name, value in outline.attributes if name in {"href", "src"}]
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(" not in render_html(_report())


def test_report_shows_known_and_nowcast_when_outcomes_are_pending() -> None:
    text = render_markdown(_report())
    assert "| 128% → 131% |" in text
    assert "Worst case, every pending outcome turns bad" in text
    assert "136%" in text
    assert "| ok (warns only) |" in text
    assert "against 0" not in text
    assert "repeats inside an object dropped" in text
    assert "proves" not in text


def test_thin_environment_is_one_line_when_no_question_was_judged() -> None:
    text = render_markdown(_report())
    section = text.split("## code-helper (staging)")[1].split("### What happens next")[0]
    line = section.split("### Drift and anomalies of the night")[1].strip()
    assert line == (
        "The only question could not be judged: too little data, 3 in the largest sample. "
        "That is not ok, it is unknown."
    )


def test_overdraft_is_shown_when_the_budget_is_overspent() -> None:
    html = render_html(_report())
    assert "28.2% overspent" in html
    assert 'class="over"' in html


@given(text=st.text(min_size=1, max_size=40) | st.just(_HOSTILE))
@settings(max_examples=40, deadline=None)
def test_html_has_the_same_elements_when_the_warehouse_brings_any_text(text: str) -> None:
    plain = _outline(render_html(_with_text(_report(), "plain")))
    outline = _outline(render_html(_with_text(_report(), text)))
    assert outline.tags == plain.tags
    assert [name for name, _ in outline.attributes] == [name for name, _ in plain.attributes]


@given(text=st.text(min_size=1, max_size=40) | st.just(_HOSTILE))
@settings(max_examples=40, deadline=None)
def test_page_has_the_same_elements_when_the_warehouse_brings_any_text(text: str) -> None:
    plain = _outline(_page(_with_text(_report(), "plain")))
    outline = _outline(_page(_with_text(_report(), text)))
    assert outline.tags == plain.tags


def test_markdown_escapes_when_the_warehouse_brings_markup() -> None:
    text = render_markdown(_with_text(_report(), "a|b<b>**c**\n# d"))
    assert "<b>" not in text
    assert "\\*\\*c\\*\\*" in text
    assert "\n# d" not in text
    plain = render_markdown(_with_text(_report(), "plain"))
    assert len(text.splitlines()) == len(plain.splitlines())


def test_page_never_reads_as_open_when_there_is_no_report() -> None:
    for status in ("nothing_published", "unavailable"):
        state = PageState(status, None, "Do something.", _AS_OF)  # type: ignore[arg-type]
        html = render_page(state)
        assert f'data-status="{status}"' in html
        assert "No release is frozen" not in html
        assert "OPEN" not in html
        assert page_json(state)["is_any_frozen"] is None
        assert page_json(state)["features"] is None


def test_page_warns_when_every_decision_expired() -> None:
    late = PageState("published", _report(), "", _AS_OF + timedelta(days=9))
    assert "4 decisions expired" in render_page(late)
    assert all(item["is_expired"] for item in page_json(late)["features"])
    fresh = PageState("published", _report(), "", _AS_OF + timedelta(hours=29))
    assert "expired" not in render_page(fresh)
    assert FROZEN_FEATURE in render_page(fresh)


@pytest.mark.parametrize("n_points", [0, 1, 2, 28])
def test_charts_are_well_formed_when_there_are_few_days(n_points: int) -> None:
    points = tuple(
        BurnPoint(_AS_OF + timedelta(days=day), 10 * (day % 3), day % 3, None, -0.1 * day, None)
        for day in range(n_points)
    )
    burn = burn_down_chart(BurnDown("nightly", points), "label")
    assert _outline(str(burn)).tags[0] == ("svg" if n_points > 1 else "p")
    assert _outline(str(day_strip(points, 0.05, "label"))).tags


@given(
    values=st.lists(
        st.floats(min_value=-1e6, max_value=1e6, allow_nan=False), min_size=0, max_size=9
    )
)
@settings(max_examples=60, deadline=None)
def test_bars_stay_inside_the_picture_when_values_are_any(values: list[float]) -> None:
    cut = [
        Contributor("route", f"r{place}", 100, 5, 0.05, 0.1, value, 0.0)
        for place, value in enumerate(values)
    ]
    svg = str(contributor_bars(cut, "label"))
    for x, width in re.findall(r'<rect class="\w+" x="([-\d.]+)" y="[\d.]+" width="([\d.]+)"', svg):
        assert float(x) >= 0
        assert float(x) + float(width) <= 961


def _page(report: FreezeReport) -> str:
    return render_page(PageState("published", report, "", _AS_OF))
