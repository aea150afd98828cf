"""The grammar of docs/naming.md; every answer is the fix."""

import re
from collections.abc import Mapping

WORDS = "[a-z][a-z0-9]*(_[a-z0-9]+)*"
COLLECTIVE = ("feedback", "price_book")  # plurals without an s
GRAINS = ("hourly", "daily", "weekly", "monthly", "nightly")
PARTICIPLE = "(?:[a-z0-9]+_)*(?:[a-z]+ed|built)"
MODEL_NAMES: Mapping[str, tuple[str, ...]] = {
    "staging": (rf"stg_(?P<folder>[a-z]+)__(?:{WORDS}s|{'|'.join(COLLECTIVE)})",),
    "intermediate": (rf"int_(?P<folder>[a-z]+)__{PARTICIPLE}",),
    "marts": (
        rf"fct_(?:{WORDS}s|{'|'.join(COLLECTIVE)})",
        rf"dim_{WORDS}(?<!s)",
        rf"agg_{WORDS}_(?:{'|'.join(GRAINS)})",
        rf"rpt_{WORDS}__{WORDS}",
    ),
}
# A numeric column ends in its unit or says what it counts; the suffixes are docs/naming.md's.
UNITS = ("_ms", "_s", "_h", "_usd", "_usd_per_token", "_per_usd", "_tokens", "_bytes", "_chars", "_words",
         "_ratio", "_count", "_score", "_weight")  # fmt: skip
# Numbers without a unit; each says why.
UNITLESS = {
    "sample_weight": "how many calls a row stands for",
    "revision": "ordinal of a restatement",
    "seed": "seed of a random generator",
    "temperature": "a model's parameter, named as providers name it",
    "top_p": "a model's parameter, named as providers name it",
    "retrieval_score_max": "named as the lake names it; marts call it best_document_score",
    "otel_kind": "a code, named as OTLP names it",
    "retrieval_top_k": "a retriever's parameter, named as conventions name it",
    "http_status_code": "a code, not a quantity",
    "document_rank": "ordinal of a document in its result",
    "call_index": "ordinal of a tool call in its span",
    "step_index": "ordinal of a step in its run",
    "identity_index": "ordinal of an identity under its name",
    "deploy_index": "ordinal of a deploy of its version",
    "event_index": "ordinal of an event in its log",
    "point_sum": "its unit is in the column unit",
    "point_min": "its unit is in the column unit",
    "point_max": "its unit is in the column unit",
    "increase_sum": "its unit is in the column unit",
    "source_offset": "ordinal of a record in its object; -1 for the whole object",
    "value": "its unit is in the column unit",
    "value_lower": "its unit is in the column unit",
    "value_upper": "its unit is in the column unit",
    "threshold": "its unit is in the column unit",
    "p_value": "a probability, named as statistics names it",
    "q_value": "a probability, named as statistics names it",
    "p_breach": "a probability, named as statistics names it",
    "burn_rate_24h": "multiple of the sustainable rate, which has no unit",
}
_NUMERIC = ("bigint", "int", "hugeint", "smallint", "tinyint", "double", "float", "decimal")
_FORBIDDEN = re.compile(
    r"_(ts|time|datetime|timestamp|dt|day|pct|percent|perc|rate|sec|secs|seconds|millis|msec|us|ns"
    r"|usd_[a-z]+|cents|dollars|kb|mb|gb|num|cnt|flag|p\d\d|avg|mean|sum|max|min)$"
    r"|^(cost|latency|duration|num_.*|no_.*|count_.*|avg_.*)$"
)
# What a suffix promises about the type.
_PROMISES = (
    (re.compile(r"_at$"), ("timestamp",), "a timestamp"),
    (re.compile(r"_date$"), ("date",), "a date"),
    (re.compile(r"^(is|has)_"), ("boolean",), "a boolean"),
    (re.compile(r"_(id|key|hash|redacted|type|name|source)$"), ("string", "varchar"), "a string"),
    (re.compile(r"^n_|_count$"), _NUMERIC, "a number"),
    (re.compile(f"({'|'.join(UNITS)})$"), _NUMERIC, "a number"),
)


def model_fault(layer: str, folder: str, name: str) -> str | None:
    """Return what is wrong with a model's name; None when nothing is."""
    for form in MODEL_NAMES[layer]:
        if match := re.fullmatch(form, name):
            wanted = match.groupdict().get("folder") or folder
            return None if wanted == folder else f"move it to {layer}/{wanted}"
    return f"rename it to one of {', '.join(MODEL_NAMES[layer])}"


def column_fault(name: str, data_type: str | None) -> str | None:
    """Return what is wrong with a column's name, given its type where that is known."""
    if not re.fullmatch(WORDS, name):
        return "write it in lower_snake_case"
    if _FORBIDDEN.search(name) and name not in UNITLESS:
        return "end it with a suffix of docs/naming.md"
    return None if data_type is None else _type_fault(name, data_type.lower())


def _type_fault(name: str, data_type: str) -> str | None:
    """Return how a column's name and type disagree."""
    if data_type == "boolean":
        return None if name.startswith(("is_", "has_")) else "start it with is_ or has_"
    for form, types, what in _PROMISES:
        if form.search(name) and not data_type.startswith(types):
            return f"its name says {what}, it is {data_type}"
    if data_type.startswith("timestamp") and not name.endswith(("_at", "as_of")):
        return "end it with _at"
    if data_type == "date" and not name.endswith("_date"):
        return "end it with _date"
    is_named = name.endswith(UNITS) or name.startswith("n_") or name in UNITLESS
    if data_type.startswith(_NUMERIC) and not is_named:
        return f"end it with its unit, one of {', '.join(UNITS)}"
    return None


def sentence_fault(name: str) -> str | None:
    """Return what is wrong with a unit test's name; None when it is a sentence."""
    n_words = len(name.split("_")) if re.fullmatch(WORDS, name) else 0
    return None if n_words >= 4 else "name it with a sentence of what holds, in lower_snake_case"
