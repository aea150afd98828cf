"""How many calls one span stands for."""

import re

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.rules import AttributeRules

_THRESHOLD = re.compile(r"(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,]|$)")
_THRESHOLD_DIGITS = 14
_WHOLE = float(16**_THRESHOLD_DIGITS)
_MAX_WEIGHT = 1e9


def sample_weight(span: Span, view: AttributeView, rules: AttributeRules) -> float:
    """Return the weight: an attribute, else OpenTelemetry's sampling threshold, else 1.

    Args:
        span: Its tracestate may carry ``ot=th:<threshold>`` of consistent probability sampling.
        view: Its attributes may carry a weight ("one in N") or the probability it was kept with.
        rules: The names of those attributes.
    """
    if not span.trace_state and not rules.named_samples[view.names]:
        return 1.0
    weight = view.number(*rules.sample_weight) if rules.sample_weight else None
    if weight is None and rules.sample_ratio:
        ratio = view.number(*rules.sample_ratio)
        weight = 1 / ratio if ratio is not None and 0 < ratio <= 1 else None
    if weight is None and span.trace_state:
        weight = _threshold_weight(span.trace_state)
    return weight if weight is not None and 1 <= weight <= _MAX_WEIGHT else 1.0


def _threshold_weight(trace_state: str) -> float | None:
    """Return the weight that a sampling threshold means; None when there is none."""
    found = _THRESHOLD.search(trace_state)
    if found is None:
        return None
    rejected = int(found.group(1).ljust(_THRESHOLD_DIGITS, "0"), 16)
    return _WHOLE / (_WHOLE - rejected)
