"""The short way of reading spans gives what the long way gives, and takes what is usual."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.errors import ReadError
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.quick_spans import QuickSpans
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from include.freezeline.readers.storage import StorageRule
from tests.bench.otlp_traffic import write_traffic
from tests.unit.readers import builders
from tests.unit.readers.conftest import CONFIG_DIR

N_EXAMPLES = 300
RULES = load_landing_rules(CONFIG_DIR)
CONSENT = RULES.storage.consent[0]
_read_quickly = QuickSpans.read


class Ways:
    """Reads objects both ways and counts the spans that the short way took."""

    def __init__(self) -> None:
        self.is_long = False
        self.n_asked = self.n_taken = 0

    def read_span(self, reader: QuickSpans, span: Span) -> dict[str, list[Row]] | None:
        """Stand in for ``QuickSpans.read``."""
        quick = None if self.is_long else _read_quickly(reader, span)
        self.n_asked += not self.is_long
        self.n_taken += quick is not None
        return quick

    def compare(self, key: str, data: bytes, rules: LandingRules = RULES) -> None:
        """Assert that both ways give the same; names have been met before the short way is judged."""
        self.is_long = True
        expected = _outcome(key, data, rules)
        self.is_long = False
        _outcome(key, data, rules)
        self.n_asked = self.n_taken = 0
        assert _outcome(key, data, rules) == expected


def _outcome(key: str, data: bytes, rules: LandingRules) -> Any:
    """Return everything that reading gives, with 1, 1.0 and True told apart."""
    try:
        result = read_object(key, data, rules)
    except ReadError as error:
        return error.reason
    return _exact(result)


def _exact(result: ReadResult) -> Any:
    tables = {
        name: [
            {column: (type(value), repr(value)) for column, value in row.items()} for row in rows
        ]
        for name, rows in result.tables.items()
    }
    return tables, result.rejects, result.dialects, result.format, result.used_count


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    made = Ways()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickSpans, "read", lambda reader, span: made.read_span(reader, span))
        yield made


@pytest.mark.shared
def test_both_ways_give_the_same_for_the_recorded_samples(
    ways: Ways, shared_dir: Path, tmp_path: Path
) -> None:
    with tarfile.open(shared_dir / "data" / "trace_samples.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    n_asked = n_taken = 0
    for path in sorted(tmp_path.rglob("bucket/**/*")):
        if path.is_file():
            ways.compare(path.name, path.read_bytes())
            n_asked += ways.n_asked
            n_taken += ways.n_taken
    assert n_taken > n_asked / 4 > 100


def test_both_ways_give_the_same_for_realistic_traffic(ways: Ways, tmp_path: Path) -> None:
    (path,) = write_traffic(tmp_path, 500_000, seed=3)
    ways.compare(path.name, path.read_bytes())
    assert ways.n_taken == ways.n_asked > 50
    document = orjson.loads(path.read_bytes().splitlines()[0])
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            scope["spans"] = scope["spans"][:40]
    ways.compare("traces.binpb", builders.traces_message(document))
    assert ways.n_taken == ways.n_asked > 30


PEOPLE = ("user-17", "alice", "tenant-5", 'o"neill', "jürgen", "1234567", "42", "abc")
MESSAGES = (
    '[{"role":"user","parts":[{"type":"text","content":"I am alice, 1234567 (user-17)"}]}]',
    '[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"find",'
    '"arguments":{"user_id":"u","q":"for alice","user.id":"x","n":1234567}}],"finish_reason":"tool_call"}]',
    '[{"message":{"content":"j\\u00fcrgen said so","tool_calls":[{"id":1,"function":{"name":"f",'
    '"arguments":"{\\"user\\":{\\"id\\":1}}"}}]},"finish_reason":"length"}]',
    '{"role":"user","content":"one message"}', "[]", "{}", "not json", '"\\ud800"', "[1,null]", "",
)  # fmt: skip
DOCUMENTS = (
    '[{"id":"d1","score":0.5,"content":"of user-17"},{"id":7,"score":"0.25","content":"text"}]',
    '[{"id":"d1","document_id":"d2","score":null,"text":"x","tenant.id":"t","more":{"user":"alice"}}]',
    '{"documents":[{"content":"alice"},"plain",null,{}]}', "[]", "7", "no json",
)  # fmt: skip
TEXTS = (
    "name", "", " ", "OpenAI", "gpt-4.1", "text-embedding-3", "chat", "retrieval", "execute_tool", "embeddings",
    "invoke_agent", "unknown", "stop", '["stop","tool-calls"]', "[]", "true", "12", "0.5", "-3", "NaN", "{\"a\":1}",
    "said user-17 to alice", "\ud800", "\n", *PEOPLE,
)  # fmt: skip
NUMBERS = (
    0,
    1,
    7,
    8,
    15,
    128,
    -1,
    2**63,
    10**10,
    0.0,
    0.25,
    -0.5,
    1e300,
    float("nan"),
    True,
    False,
)
NESTED = (["stop"], [], [""], [{"user.id": "alice"}], {"user": {"id": 1}, "k": "alice"}, {}, None)
values = (
    st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.sampled_from(NESTED) | st.text(max_size=5)
)  # fmt: skip
TEXT_NAMES = (
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system", "gen_ai.request.model",
    "gen_ai.response.id", "gen_ai.prompt.name", "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.tool.call.id",
    "gen_ai.agent.name", "app.feature", "feature.name", "app.environment", "app.request.id", "http.route",
    "app.prompt.name", "app.prompt.version", "openai.response.service_tier", "openai.request.service_tier",
    "gen_ai.retrieval.query.text", "url.path", "note",
)  # fmt: skip
NUMBER_NAMES = (
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "gen_ai.usage.output_tokens",
    "gen_ai.usage.total_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.request.temperature", "gen_ai.request.max_tokens", "gen_ai.response.time_to_first_chunk",
    "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token", "gen_ai.latency.time_in_queue",
    "app.ttft_ms", "app.decode_ms", "gen_ai.retrieval.top_k", "http.response.status_code", "server.port",
)  # fmt: skip
PERSON_NAMES = ("user.id", "enduser.id", "app.tenant.id", "gen_ai.conversation.id")
MESSAGE_NAMES = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.completion",
                 "gen_ai.system_instructions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result")  # fmt: skip
OTHER_NAMES = (
    "gen_ai.response.finish_reasons", "gen_ai.request.stream", "gen_ai.latency.e2e", "gen_ai.prompt.0.content",
    "error.type", "metadata", "SampleRate", "app.retrieval.packed_tokens", "app.stream.chunk_offsets_ms",
    "evaluations.0.evaluation.name", "langfuse.release", "langfuse.observation.level", "traceloop.span.kind",
    "gen_ai.input.messages_ref", "openinference.span.kind", "data.class", "app.consent", "gen_ai.headers",
    "mcp.method.name", "llm.request.type", "stop_sequences",
)  # fmt: skip


def _maps(
    odd: st.SearchStrategy[Any], other_names: tuple[str, ...]
) -> st.SearchStrategy[dict[str, Any]]:
    """Return attributes with usual values or odd ones.

    Args:
        odd: Values that any attribute may have.
        other_names: Names that make a span unusual.
    """

    def some(names: tuple[str, ...], usual: tuple[Any, ...]) -> st.SearchStrategy[dict[str, Any]]:
        return st.dictionaries(st.sampled_from(names), st.sampled_from(usual) | odd, max_size=4)

    return st.builds(
        lambda *parts: {name: value for part in parts for name, value in part.items()},
        some(("gen_ai.operation.name",), ("chat", "retrieval", "execute_tool", "invoke_agent")),
        some(TEXT_NAMES, ("plain", "openai", "anthropic", "for alice")),
        some(NUMBER_NAMES, (5, 10, "12")),
        some(PERSON_NAMES, PEOPLE),
        some(MESSAGE_NAMES, MESSAGES),
        some(("gen_ai.retrieval.documents",), DOCUMENTS),
        some(other_names, ("stop",)) if other_names else st.just({}),
        some(("note", "stop_sequences"), (*TEXTS, *NUMBERS, *NESTED)),
    )


usual_maps = _maps(st.nothing(), ())
attribute_maps = _maps(values, OTHER_NAMES)
members = st.fixed_dictionaries(
    {},
    optional={
        "parentSpanId": st.sampled_from(("", "0" * 16, "ab" * 8, "AB" * 8, "x")),
        "endTimeUnixNano": st.sampled_from((0, "5", str(builders.START_NS - 1), builders.START_NS)),
        "kind": st.sampled_from((0, 5, 6, "3", None)),
        "name": st.sampled_from(("embed it", "\ud800", "", None)),
        "status": st.sampled_from(({}, {"code": 1}, {"code": 2, "message": "429"}, {"code": "1"}, None)),
        "traceState": st.sampled_from(("", "ot=th:8")),
        "events": st.sampled_from(([], [builders.event("exception", 1, {"exception.type": "Timeout"})])),
    },
)  # fmt: skip
span_parts = st.tuples(usual_maps, st.just({}) | members) | st.tuples(attribute_maps, st.just({}))
resources = st.dictionaries(
    st.sampled_from(("service.version", "user.id", "tenant.id", "app.feature", "deployment.environment",
                     "langfuse.release", "host.arch", "note", "app.prompt.name")),
    st.sampled_from((*TEXTS, 1, True, 1.0)), max_size=4,
)  # fmt: skip
scopes = st.sampled_from(("", "opentelemetry.instrumentation.openai_v2", "strands.agent", "app"))


def test_both_ways_give_the_same_for_odd_spans(ways: Ways) -> None:
    n_asked = n_taken = 0

    @settings(max_examples=N_EXAMPLES, deadline=None)
    @given(st.lists(span_parts, min_size=1, max_size=3), resources, scopes)
    def check(given_spans: list[tuple[Any, Any]], resource: dict[str, Any], scope: str) -> None:
        nonlocal n_asked, n_taken
        spans = [builders.span(attributes, **more) for attributes, more in given_spans]
        document = builders.document(spans, resource=resource, scope=scope)
        ways.compare("traces.json", builders.encode(document))
        n_asked += ways.n_asked
        n_taken += ways.n_taken

    check()
    assert n_taken > n_asked / 5 > 20, (n_taken, n_asked)


CHAT = {"gen_ai.system": "openai", "gen_ai.operation.name": "chat"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"stop_sequences": [{"user.id": "alice", "k": 1}], "note": {"user": {"id": "alice"}}},
        {"gen_ai.prompt.name": "from the dialect", "app.prompt.name": "from the service"},
        {"gen_ai.provider.name": "azure", "user.id": "alice", "note": "alice", "n": 1234567},
        {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4, "gen_ai.usage.total_tokens": 7},
        {"gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 3,
         "gen_ai.usage.cache_read.input_tokens": 9},
        {"gen_ai.response.time_to_first_chunk": -1, "app.ttft_ms": 5, "app.decode_ms": -2},
        {"gen_ai.latency.e2e": 2.0}, {"gen_ai.output.messages": MESSAGES[1], "user.id": "1234567"},
    ],
)  # fmt: skip
def test_the_short_way_takes_what_is_usual(ways: Ways, attributes: dict[str, Any]) -> None:
    spans = [builders.span({**CHAT, **attributes}, status={"code": 1}, parentSpanId="ab" * 8)]
    ways.compare(
        "traces.json", builders.encode(builders.document(spans, resource={"pod": "alice"}))
    )
    assert ways.n_taken == 1


@pytest.mark.parametrize(
    ("attributes", "resource", "span_members"),
    [
        ({"app.retrieval.packed_tokens": 5}, {}, {}), ({"metadata": '{"user":"alice","k":1}'}, {}, {}),
        ({"error.type": "timeout"}, {}, {}), ({}, {}, {"status": {"code": 2, "message": "429"}}),
        ({"gen_ai.input.messages_ref": "s3://b/k.json"}, {}, {}), ({"SampleRate": 10}, {}, {}),
        ({}, {}, {"traceState": "ot=th:8"}), ({"app.stream.chunk_offsets_ms": [1, 5, 9]}, {}, {}),
        ({CONSENT: "no"}, {}, {}), ({}, {CONSENT: "no"}, {}), ({"langfuse.release": "7"}, {}, {}),
        ({"evaluations.0.evaluation.name": "tone"}, {}, {}), ({"gen_ai.system": 5}, {}, {}),
        ({}, {}, {"events": [builders.event("exception", 1, {"exception.type": "Timeout"})]}),
    ],
)  # fmt: skip
def test_the_short_way_leaves_what_is_unusual(
    ways: Ways, attributes: dict[str, Any], resource: dict[str, Any], span_members: dict[str, Any]
) -> None:
    chat = {**CHAT, "gen_ai.output.messages": MESSAGES[1], "stream": True}
    spans = [builders.span({**chat, **attributes}, **span_members)]
    ways.compare("traces.json", builders.encode(builders.document(spans, resource=resource)))
    assert ways.n_taken == 0


def test_both_ways_give_the_same_when_rules_withhold_texts(ways: Ways) -> None:
    rule = StorageRule(feature=("secret",), data_class="health", consent="denied")
    storage = RULES.storage.model_copy(
        update={"rules": (rule,), "never_store_text_of": ("health",)}
    )
    rules = RULES.model_copy(update={"storage": storage})
    chat = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": MESSAGES[0],
            "gen_ai.output.messages": MESSAGES[1], "note": "kept"}  # fmt: skip
    spans = [builders.span({**chat, "app.feature": feature}) for feature in ("secret", "open")]
    data = builders.encode(builders.document(spans))
    ways.compare("traces.json", data, rules)
    assert ways.n_taken == ways.n_asked == 2
    withheld = [row["is_text_withheld"] for row in read_object("traces.json", data, rules).spans]
    assert withheld == [True, False]


def test_names_with_ids_inside_are_forgotten_again(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.freezeline.readers.quick_spans._MAX_KNOWN", 20)
    spans = [builders.span({"gen_ai.system": "openai", f"order.{number % 30}": 1, "user.id": f"user-{number}"})
             for number in range(90)]  # fmt: skip
    halves = [builders.document(spans[:45], resource={"pod": "a"}), builders.document(spans[45:])]
    both = {"resourceSpans": [half["resourceSpans"][0] for half in halves]}
    rules = RULES.model_copy()
    ways.compare("traces.json", builders.encode(both), rules)
    ways.compare("traces.json", builders.encode(builders.document([spans[0]] * 5)), rules)
    assert ways.n_taken >= 3
