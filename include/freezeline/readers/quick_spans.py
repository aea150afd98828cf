"""The short way from a span to its row, for spans about which nothing is unusual.

It gives what the long way gives, by the same functions, and leaves out every question whose answer
is known beforehand: from the names of the attributes (``quick_plans``) and from the resource. A
span that it does not take goes the long way, so that odd values are dealt with in one place only.
"""

from typing import NamedTuple

from include.freezeline.contracts.lake import SPANS
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.business import BusinessColumns
from include.freezeline.readers.details import Details, place_details
from include.freezeline.readers.genai_columns import latency, settle_usage
from include.freezeline.readers.genai_content import content, message_finish_reasons
from include.freezeline.readers.jsontext import JsonText, write_json
from include.freezeline.readers.names import Names
from include.freezeline.readers.otel_genai import add_details, genai_span_type, is_leaf_call
from include.freezeline.readers.otlp import Attributes, Origin, Span, is_span_id
from include.freezeline.readers.outcomes import normalise_finish_reasons, status_name
from include.freezeline.readers.privacy import (
    People,
    add_people,
    find_people,
    mask_people,
    without_people,
)
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.quick_plans import QuickPlan, quick_plan
from include.freezeline.readers.result import Row
from include.freezeline.readers.rows import EMPTY_ROW
from include.freezeline.readers.rules import AttributeRules, LandingRules
from include.freezeline.readers.storage import Storage, measure_texts, storage_of
from include.freezeline.readers.timing import duration_ms, latency_columns
from include.freezeline.readers.values import to_timestamp

_ERROR = 2
_MAX_KNOWN = 2_000  # names, resources and features with ids inside must not fill memory
_NOTHING = AttributeView({})


class _Ready(NamedTuple):
    """A plan together with what a resource and a scope add to it.

    Attributes:
        plan: The plan.
        template: A row but for what spans say themselves.
        people: Whom the resource names.
        resource_rest: What no column took of the resource.
    """

    plan: QuickPlan
    template: Row
    people: People
    resource_rest: Attributes


class QuickSpans:
    """Reads spans the short way; remembers plans, and rows that are ready but for their values."""

    def __init__(self, rules: LandingRules) -> None:
        """Start without any plan."""
        self.rules = rules
        self._business = BusinessColumns(rules.attributes)
        # Without a rule for some feature, service or environment, all spans are alike.
        self._storage = storage_of(_NOTHING, _NOTHING, {}, rules.storage)
        self._storages: dict[tuple[str, str, str], Storage] = {}
        self._forget()

    def read(self, span: Span) -> dict[str, list[Row]] | None:
        """Return what ``read_whole_span`` would, or None when a span has to go the long way.

        Args:
            span: A span whose ids and start are known to be usable.
        """
        if span.events or span.trace_state or span.status_code == _ERROR:
            return None
        if span.origin is not self._origin:
            self._enter(span.origin)
        names = tuple(span.attributes)
        ready = self._ready[names] if names in self._ready else self._prepared(span, names)
        if ready is None:
            return None
        row = _filled(ready, span.attributes)
        if row is None:
            return None
        _identify(row, span)
        return self._completed(span, ready, row)

    def _completed(self, span: Span, ready: _Ready, row: Row) -> dict[str, list[Row]]:
        """Add to a row what depends on more than one value, and return all rows by table."""
        plan, values, rules = ready.plan, span.attributes, self.rules.attributes
        people = ready.people
        if plan.people:
            people = add_people({}, values, plan.people, rules)
            for value, placeholder in ready.people.items():
                people.setdefault(value, placeholder)
        details: Details = {}
        if plan.is_genai:
            view = AttributeView(values)
            _read_genai(span, view, plan, row)
            details = row.pop("details", details)
            rest = view.rest_among(plan.rest)
        else:
            rest = {name: values[name] for name in plan.rest}
        if details:
            place_details(span, details, people, rules)
        if rest:
            row["attributes_redacted"] = _rest_text(rest, people, rules)
        if people and ready.resource_rest:
            text = row["resource_attributes_redacted"]
            row["resource_attributes_redacted"] = mask_people(ready.resource_rest, text, people)
        tables = {SPANS.name: [row], **details}
        self._storage_of(row).settle(row, tables)
        return tables

    def _storage_of(self, row: Row) -> Storage:
        """Return what may become of a span's texts, where only the rules say something about it."""
        if not self.rules.storage.rules:
            return self._storage
        key = row["feature"], row["service_name"], row["environment"]
        known = self._storages.get(key)
        if known is None:
            if len(self._storages) >= _MAX_KNOWN:
                self._storages.clear()
            known = storage_of(_NOTHING, _NOTHING, row, self.rules.storage)
            self._storages[key] = known
        return known

    def _forget(self) -> None:
        """Start without any plan."""
        self._met: set[tuple[str, Names]] = set()
        self._plans: dict[tuple[str, Names], QuickPlan | None] = {}
        self._origins: dict[tuple[str, str, str], dict[Names, _Ready | None]] = {}
        self._origin: Origin | None = None
        self._ready: dict[Names, _Ready | None] = {}
        self._n_known = 0

    def _enter(self, origin: Origin) -> None:
        """Turn to the rows that are ready for spans of a resource and scope."""
        if self._n_known >= _MAX_KNOWN:
            self._forget()
        self._origin = origin
        # Not the values themselves, because 1, 1.0 and True are equal.
        key = origin.scope_name, origin.scope_version, repr(origin.resource)
        if key not in self._origins:
            self._n_known += 1
            self._origins[key] = {}
        self._ready = self._origins[key]

    def _prepared(self, span: Span, names: Names) -> _Ready | None:
        """Make a row ready for names that this resource and scope had not yet.

        Only names that are met again are worth a plan.
        """
        if self._n_known >= _MAX_KNOWN:
            self._enter(span.origin)
        self._n_known += 1
        key = span.origin.scope_name, names
        if key not in self._met:
            self._met.add(key)
            return None
        if key not in self._plans:
            self._plans[key] = quick_plan(*key, self.rules, self._business)
        plan = self._plans[key]
        ready = None if plan is None else self._made_ready(plan, span.origin)
        self._ready[names] = ready
        return ready

    def _made_ready(self, plan: QuickPlan, origin: Origin) -> _Ready | None:
        """Return a row with everything that spans of a plan share in a resource and scope."""
        resource = AttributeView(origin.resource)
        if self.rules.storage.named[resource.names]:
            return None
        found = dict.fromkeys(plan.filled, "")  # the span's own values come before the resource's
        template = EMPTY_ROW | self._business.columns(_NOTHING, resource, found)
        rest, text = self._business.resource_rest(resource)
        template["resource_attributes_redacted"] = text or None
        template["span_type"], template["is_leaf_model_call"] = "other", False
        template["dialect"] = plan.dialect
        template["scope_name"] = origin.scope_name or None
        template["scope_version"] = origin.scope_version or None
        template.update(sample_weight=1.0, is_clock_skewed=False, status="unset")
        people = find_people((origin.resource,), self.rules.attributes)
        return _Ready(plan, template, people, rest)


_latest: list[QuickSpans] = []


def quick_spans(rules: LandingRules) -> QuickSpans:
    """Return what reads spans by these rules, with what it remembers of the objects before."""
    if not _latest or _latest[0].rules is not rules:
        _latest[:] = [QuickSpans(rules)]
    return _latest[0]


def _filled(ready: _Ready, values: Attributes) -> Row | None:
    """Return a row with what attributes fill by their names alone.

    None when one of them makes no sense, so that another one may have to take its place.
    """
    row = ready.template.copy()
    for column, name in ready.plan.texts:
        text = values[name]
        if type(text) is not str or not text:
            return None
        row[column] = text
    for column, convert, name in ready.plan.others:
        value = convert(values[name])
        if value is None:
            return None
        row[column] = value
    return row


def _identify(row: Row, span: Span) -> None:
    """Set the columns that every span fills from its own members."""
    _, trace_id, span_id, parent, _, name, kind, start_ns, end_ns, _, _, _, code, _ = span
    row["trace_id"] = trace_id
    row["span_id"] = span_id
    row["parent_span_id"] = parent if is_span_id(parent) else None
    row["span_name"] = name
    row["otel_kind"] = kind
    row["started_at"] = to_timestamp(start_ns)
    row["ended_at"] = to_timestamp(end_ns)
    if code:
        row["status"] = status_name(span)
    if end_ns >= start_ns:
        row["duration_ms"] = duration_ms(span)
    else:
        row["is_clock_skewed"] = end_ns > 0


def _read_genai(span: Span, view: AttributeView, plan: QuickPlan, row: Row) -> None:
    """Add to a row what a GenAI span says with more than one attribute."""
    row["span_type"] = span_type = genai_span_type(row["operation_name"], span)
    row["is_leaf_model_call"] = is_leaf_call(span, span_type)
    row["provider"] = normalise_provider(row["provider"])
    if plan.has_usage:
        settle_usage(row, view, row["provider"])
    if plan.has_latencies:
        found = latency(span, view)
        found["output_tokens"] = row["output_tokens"]
        row.update(latency_columns(span, found, view))
    outputs: JsonText | None = None
    if plan.has_content:
        texts, outputs = content(span, view, has_events=False)
        row.update(texts)
        measure_texts(row)
    if row["finish_reasons"] is not None:
        row["finish_reasons"] = normalise_finish_reasons(row["finish_reasons"])
    if row["finish_reasons"] is None and outputs is not None:
        row["finish_reasons"] = message_finish_reasons(outputs)
    add_details(span, view, row, outputs)


def _rest_text(rest: Attributes, people: People, rules: AttributeRules) -> str:
    """Return what no column took as JSON in which nobody is named."""
    text = write_json(rest)
    if text.find("{", 1) > 0:  # a member may name a person, unless this bracket stands in a text
        rest = without_people(rest, rules)
        text = write_json(rest)
    return mask_people(rest, text, people) if people else text
