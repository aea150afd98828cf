"""The flags as a caller sees them: the real OpenFeature SDK, and flagd's provider that reads a file.

The provider needs a newer protobuf than the product's other packages allow, so it lies in a folder
of its own (``make install-dev``) and runs in a process of its own.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openfeature import api
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.provider import AbstractProvider, Metadata

from include.freezeline.freeze.flagd import build_flagd_file
from tests.unit.freeze.documents import make_document
from tests.unit.freeze.flagd_schema import FLAGD_SCHEMA

PROVIDER = Path(sys.prefix) / "flagd"
FRESH, LATE = "2099-01-01T00:00:00Z", "2026-10-15T06:00:00Z"
STATES = {"calm": "open", "hot": "frozen", "mending": "recovering", "odd": "frozen"}


class _CoreProvider(AbstractProvider):
    """flagd's core behind the SDK, in this process."""

    def __init__(self, flags: bytes) -> None:
        super().__init__()
        self._core = FlagdCore()
        self._core.set_flags(flags.decode())

    def get_metadata(self) -> Metadata:
        return Metadata("flagd core")

    def _resolve(
        self, kind: str, flag_key: str, default_value: Any, evaluation_context: Any = None
    ) -> Any:
        resolve = getattr(self._core, f"resolve_{kind}_value")
        return resolve(flag_key, default_value, evaluation_context)

    resolve_boolean_details = partialmethod(_resolve, "boolean")
    resolve_string_details = partialmethod(_resolve, "string")
    resolve_integer_details = partialmethod(_resolve, "integer")
    resolve_float_details = partialmethod(_resolve, "float")
    resolve_object_details = partialmethod(_resolve, "object")


@pytest.fixture
def flags() -> Iterator[dict[str, Any]]:
    """Return the flags of a document that holds for a long time."""
    yield json.loads(build_flagd_file(make_document(valid_until=FRESH)))
    api.clear_providers()


def _ask(flags: dict[str, Any] | None, flag: str, change_class: str = "feature") -> Any:
    """Ask as callers are told to: with the default ``frozen``."""
    api.clear_providers()
    if flags is not None:
        api.set_provider_and_wait(_CoreProvider(json.dumps(flags).encode()))
    context = EvaluationContext(attributes={"change_class": change_class})
    return api.get_client().get_string_details(flag, "frozen", context)


@pytest.mark.parametrize(("feature", "state"), STATES.items())
def test_client_gets_the_state_with_its_metadata(
    flags: dict[str, Any], feature: str, state: str
) -> None:
    details = _ask(flags, f"llm-freeze.{feature}")
    assert (details.value, details.variant) == (state, state)
    assert details.flag_metadata["flagSetId"] == "llm-release-freeze"
    assert details.flag_metadata["slo_id"] == "support-escalation"
    assert _ask(flags, f"llm-freeze.{feature}", "rollback").value == "open"


def test_client_gets_frozen_whenever_nothing_can_be_told(flags: dict[str, Any]) -> None:
    assert _ask(flags, "llm-freeze.calm").value == "open"
    assert _ask(flags, "llm-freeze.renamed").value == "frozen"
    assert _ask({**flags, "flags": {}}, "llm-freeze.calm").value == "frozen"
    assert _ask(None, "llm-freeze.calm").value == "frozen"  # no provider
    flags["flags"]["llm-freeze.calm"]["state"] = "DISABLED"
    assert _ask(flags, "llm-freeze.calm").value == "frozen"
    flags["flags"]["llm-freeze.calm"] |= {"state": "ENABLED", "defaultVariant": "no-variant"}
    assert _ask(flags, "llm-freeze.calm").value == "frozen"
    # One who asks for another type than text gets their default, too.
    api.set_provider_and_wait(_CoreProvider(json.dumps(flags).encode()))
    assert api.get_client().get_boolean_value("llm-freeze.hot", default_value=True) is True


def test_client_gets_frozen_when_the_document_has_expired() -> None:
    old = json.loads(build_flagd_file(make_document(valid_until=LATE)))
    assert _ask(old, "llm-freeze.calm").value == "frozen"
    assert _ask(old, "llm-freeze.calm", "security_fix").value == "open"


def test_flagd_file_keeps_to_the_rules_of_flagds_schema(flags: dict[str, Any]) -> None:
    validator = jsonschema.Draft7Validator(FLAGD_SCHEMA)
    validator.check_schema(FLAGD_SCHEMA)
    assert not list(validator.iter_errors(flags))
    flag = flags["flags"]["llm-freeze.calm"]
    for wrong in (
        {"state": "ON"},
        {"variants": {}},
        {"variants": {"open": 1}},
        {"targeting": {"when": []}},
        {"targeting": {"var": "$flagd.time"}},
        {"metadata": {"slo": {}}},
        {"metadata": {"slo": None}},
    ):
        broken = {**flags, "flags": {"f": {**flag, **wrong}}}
        assert list(validator.iter_errors(broken)), wrong


# Every question with the default "frozen"; the file is damaged and mended while somebody listens.
CALLER = """
import json, os, sys, time
from pathlib import Path
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

path, fresh, old = (Path(name) for name in sys.argv[1:])
said = {}

def start():
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(path),
                             deadline_ms=20)
    try:
        api.set_provider_and_wait(provider)
    except Exception as error:
        return type(error).__name__

def ask(flag="llm-freeze.calm", **attributes):
    return api.get_client().get_string_value(flag, "frozen", EvaluationContext(attributes=attributes))

def publish(content):
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)

def wait(wanted, flag="llm-freeze.calm"):
    until = time.monotonic() + 20
    while ask(flag) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    return ask(flag)

start()
said["no file"] = ask()
publish(fresh.read_bytes())
start()
said["fresh"] = {name: ask(f"llm-freeze.{name}") for name in ("calm", "hot", "mending", "odd", "gone")}
said["staging"] = ask("llm-freeze.calm.staging")
said["rollback"] = ask("llm-freeze.hot", change_class="rollback")
publish(old.read_bytes())
said["expired"] = wait("frozen")
publish(fresh.read_bytes())
said["again"] = wait("open")
publish(b"{")
until = time.monotonic() + 20
while "ERROR" not in str(api.get_client().get_provider_status()) and time.monotonic() < until:
    time.sleep(0.02)
said["damaged"] = [ask(), str(api.get_client().get_provider_status()).split(".")[-1]]
start()
said["damaged at start"] = ask()
print(json.dumps(said))
os._exit(0)
"""


def _call(code: str, *arguments: str) -> str:
    """Run a caller that has flagd's provider; returns its last line."""
    if not (PROVIDER / "openfeature").is_dir():
        message = f"{PROVIDER}: no flagd provider (run `make install-dev`)"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(PROVIDER)},
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_provider_of_a_file_gives_state_expires_and_reloads(tmp_path: Path) -> None:
    for name, until in (("fresh", FRESH), ("old", LATE)):
        document = make_document(valid_until=until)
        (tmp_path / f"{name}.json").write_bytes(build_flagd_file(document))
    paths = (str(tmp_path / f"{name}.json") for name in ("flags", "fresh", "old"))
    said = json.loads(_call(CALLER, *paths))
    assert said["fresh"] == {**STATES, "gone": "frozen"}
    assert (said["staging"], said["rollback"]) == ("frozen", "open")
    assert (said["expired"], said["again"]) == ("frozen", "open")
    # The provider goes on with the last good file, and says that it fails: callers must look.
    assert said["damaged"] == ["open", "ERROR"]
    assert (said["no file"], said["damaged at start"]) == ("frozen", "frozen")


@pytest.mark.parametrize(
    ("feature", "until", "may_ship"),
    [("calm", FRESH, True), ("hot", FRESH, False), ("mending", FRESH, False), ("calm", LATE, False),
     ("gone", FRESH, False)],
)  # fmt: skip
def test_caller_of_the_how_to_ships_only_what_is_open(
    tmp_path: Path, feature: str, until: str, *, may_ship: bool
) -> None:
    page = Path("docs/how-to/ask-the-gate.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    path = tmp_path / "flags.flagd.json"
    path.write_bytes(build_flagd_file(make_document(valid_until=until)))
    for theirs, ours in (
        ("/srv/freeze/flags.flagd.json", str(path)),
        ("support-assistant", feature),
    ):
        assert theirs in code
        code = code.replace(theirs, ours)
    said = _call(f"{code}\nimport os\nprint(may_ship, flush=True)\nos._exit(0)")
    assert said == str(may_ship)
