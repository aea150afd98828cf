"""The earliest thaw is what the gate will say, not only what the machine calls thawing."""

from datetime import datetime, timedelta

from include.freezeline.config import config_dir
from include.freezeline.freeze.document import build_document
from include.freezeline.freeze.flag import Flag, Past, plan_flag
from include.freezeline.freeze.gate import GateAnswer, answer_gate
from include.freezeline.freeze.thaw import find_earliest_thaw, imagine_future
from include.freezeline.jobs.flag_rows import flag_row
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slo
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.events import Events
from include.freezeline.slo.windows import to_us
from tests.unit.slo.builders import AS_OF, events_at

SLO = load_slo(config_dir(Settings()) / "slos" / "support-escalation.yml")


def _world() -> Events:
    """Return four weeks of traffic whose days 6 to 4 before the end were bad."""
    hours = [24 * 28 * (2_800 - i) / 2_800 for i in range(2_800)]
    return events_at(hours, [96 < h <= 144 and i % 2 == 0 for i, h in enumerate(hours)])


def _decide(events: Events, at: datetime, past: Past | None) -> Flag:
    """Decide one night."""
    evaluation = evaluate(SLO, events, "f", "production", at, with_worst=False)
    return plan_flag("f", "production", at, [evaluation], past)


def _ask(flag: Flag) -> GateAnswer:
    """Ask the gate right after the night was published."""
    row = {**flag_row(flag, None, flag.as_of, timedelta(hours=30)), "revision": 1}
    document = build_document([row], [], flag.as_of, "file:///report.html")
    return answer_gate(document, "f", "production", "feature", flag.as_of)


def test_earliest_thaw_is_when_the_gate_first_allows_when_nothing_bad_happens() -> None:
    world = _world()
    flag = _decide(world, AS_OF, None)
    assert flag.state == "FROZEN"
    thaw_at = find_earliest_thaw(flag, {SLO.name: world})
    assert thaw_at is not None
    future = imagine_future(world, to_us(AS_OF))
    states, answers = [flag.state], {flag.as_of: _ask(flag).is_allowed}
    while flag.as_of < thaw_at + timedelta(days=1):
        past = Past(flag.state, flag.since_at, flag.memory)
        flag = _decide(future, flag.as_of + timedelta(days=1), past)
        states.append(flag.state)
        answers[flag.as_of] = _ask(flag).is_allowed
        if flag.is_frozen:
            assert find_earliest_thaw(flag, {SLO.name: future}) == thaw_at
    assert "RECOVERING" in states
    assert min(at for at, is_allowed in answers.items() if is_allowed) == thaw_at


def test_earliest_thaw_is_nothing_when_releases_may_ship() -> None:
    calm = events_at([float(h) for h in range(1, 600)], [False] * 599)
    flag = _decide(calm, AS_OF, None)
    assert flag.state == "OPEN"
    assert find_earliest_thaw(flag, {SLO.name: calm}) is None
