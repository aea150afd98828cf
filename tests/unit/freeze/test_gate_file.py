"""The gate that is one file: it says what the product says, without the product."""

import ast
import json
import random
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.cli.main import main
from include.freezeline.errors import ConfigError
from include.freezeline.freeze.gate import CHANGE_CLASSES
from include.freezeline.freeze.verdict_formats import FORMATS
from include.freezeline.jobs import gate_file
from include.freezeline.jobs.gate_file import build_gate_file
from tests.unit.freeze.documents import NOW_TEXT, OTHER_PRIVATE, make_document, make_override, sign
from tests.unit.freeze.gates import ask_check, publish_to

N_DOCUMENTS = 400
HEAVY = ("pandas", "numpy", "torch", "airflow", "duckdb", "boto3", "click", "pydantic", "include")

# Runs many command lines in one process that has the file and not the product.
DRIVER = """
import contextlib, importlib.util, io, json, sys
assert importlib.util.find_spec("include") is None
spec = importlib.util.spec_from_file_location("freezeline_gate", sys.argv[1])
gate = importlib.util.module_from_spec(spec)
sys.modules["freezeline_gate"] = gate
spec.loader.exec_module(gate)
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = gate.main(json.loads(line))
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file, in a folder of its own."""
    path = tmp_path_factory.mktemp("elsewhere") / "freezeline_gate.py"
    assert main(["gate", "file", "--output", str(path)]) == 0
    return path


def _run(gate: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run Python isolated, in the file's folder."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-I", *arguments],
        cwd=gate.parent, capture_output=True, text=True, check=False, timeout=120, **more,
    )  # fmt: skip


def _damaged(rng: random.Random) -> bytes:
    """Return a document that is often damaged in some way."""
    document = make_document(sequence=rng.choice([5, 7, 9]))
    document["features"][0]["state"] = rng.choice(["OPEN", "WARNING", "FROZEN", "RECOVERING", "?"])
    if rng.random() < 0.3:
        override = make_override(change_ref=rng.choice([None, "4f1c2ab", "another"]))
        document["features"][1]["overrides"] = [override]
    if rng.random() < 0.3:
        field = rng.choice(list(document))
        document[field] = rng.choice(
            [None, "", "1", 3, [], {}, "2026-10-14", "2027-01-01T00:00:00Z"]
        )
    data = sign(document, OTHER_PRIVATE) if rng.random() < 0.1 else sign(document)
    if rng.random() < 0.2:
        place = rng.randrange(len(data))
        data = data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]
    return data[: rng.randrange(len(data))] if rng.random() < 0.1 else data


def _command_lines(folder: Path) -> Iterator[list[str]]:
    """Write documents and yield what to ask of each."""
    rng = random.Random(11)  # noqa: S311 - test data
    for number in range(N_DOCUMENTS):
        source = publish_to(folder / str(number), _damaged(rng))
        given = ["--source", str(source), "--format", rng.choice(FORMATS)]
        for feature in rng.sample(
            ["calm", "hot", "mending", "odd", "gone", "\u00e9<&"], rng.choice([1, 1, 3])
        ):
            given += ["--feature", feature]
        given += ["--change-class", rng.choice(CHANGE_CLASSES), "--environment"]
        given += [rng.choice(["production", "production", "staging"]), "--at"]
        given += [
            rng.choice([NOW_TEXT, NOW_TEXT, "2026-10-13T23:00:00Z", "2026-10-16T00:00:00+02:00"])
        ]
        if rng.random() < 0.5:
            given += ["--change-ref", "4f1c2ab"]
        if rng.random() < 0.3:
            given += ["--public-key", str(source / "freeze.pub.pem"), "--min-sequence", "6"]
        yield given


def test_file_says_what_the_product_says_byte_for_byte(gate: Path, tmp_path: Path) -> None:
    asked = list(_command_lines(tmp_path))
    lines = "".join(json.dumps(["check", *given]) + "\n" for given in asked)
    done = _run(gate, "-c", DRIVER, str(gate), input=lines)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == N_DOCUMENTS
    codes = set()
    for given, (code, out, err) in zip(asked, said, strict=True):
        product = ask_check(given[1], *given[2:])
        assert [product.exit_code, product.stdout, product.stderr] == [code, out, err], given
        codes.add(code)
    assert codes == {0, 3, 4, 5}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "--feature", "calm"], 0),
        (["check", "--feature", "calm", "--feature", "hot"], 3),
        (["check", "--feature", "gone"], 5),
        (["check", "--feature", "calm", "--at", "2026-10-16T00:00:00Z"], 4),
        (["check"], 2),
        (["check", "--feature", "calm", "--change-class", "hotfix"], 2),
        (["check", "--feat", "calm"], 2),
        (["check", "--feature"], 2),
        (["check", "--feature", "calm", "--at", "yesterday"], 2),
        (["check", "--feature", "calm", "--min-sequence", "many"], 2),
        (["serve", "--port", "x"], 2),
        (["Check", "--feature", "calm"], 2),
        ([], 2),
    ],
)
def test_file_exits_as_the_product_does(
    gate: Path, tmp_path: Path, arguments: list[str], code: int
) -> None:
    folder = publish_to(tmp_path / "published")
    if arguments[:1] == ["check"]:
        arguments = ["check", "--source", str(folder), "--at", NOW_TEXT, *arguments[1:]]
    assert _run(gate, str(gate), *arguments).returncode == code
    product = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "include.freezeline", "gate", *arguments],
        capture_output=True, check=False,
    )  # fmt: skip
    assert product.returncode == code


def test_file_imports_nothing_but_its_two_packages(gate: Path, tmp_path: Path) -> None:
    folder = publish_to(tmp_path / "published")
    code = (
        f"import runpy, sys\nsys.argv = ['gate', 'check', '--feature', 'calm', '--source', {str(folder)!r},"
        f" '--at', {NOW_TEXT!r}]\n"
        f"try:\n    runpy.run_path({str(gate)!r}, run_name='__main__')\n"
        "except SystemExit as stop:\n    code = stop.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code)\n"
    )
    done = _run(gate, "-c", code)
    assert done.stdout.splitlines()[-1] == "[] 0", done


def test_header_names_every_package_that_the_file_imports(gate: Path) -> None:
    text = gate.read_text(encoding="utf-8")
    block = re.search(r"(?m)^# /// script$\n((?:#.*\n)+?)# ///$", text)
    assert block
    header = tomllib.loads(re.sub(r"(?m)^# ?", "", block[1]))
    named = {re.split(r"[><=]", package)[0] for package in header["dependencies"]}
    tree = ast.parse(text)
    tops = {
        alias.name.split(".")[0]
        for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }  # fmt: skip
    assert tops - set(sys.stdlib_module_names) - {"boto3", "botocore"} == named
    assert named == {"cryptography", "rfc8785"}
    assert header["requires-python"] == ">=3.11"


def test_file_is_the_same_when_written_again(
    gate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", "file"]) == 0
    assert capsys.readouterr().out == gate.read_text(encoding="utf-8") == build_gate_file()


@pytest.mark.parametrize(
    ("module", "line", "message"),
    [
        ("jobs/ask_gate", "def check() -> None: ...", "check is also"),
        ("jobs/ask_gate", "import ssl as json", "json is also 'import json'"),
        ("jobs/ask_gate", "from include.freezeline.settings import Settings", "add the module to"),
        (
            "cli/gate_alone",
            "from include.freezeline.freeze.gate import EXIT_ALLOW as x",
            "without a new",
        ),
    ],
)
def test_file_is_refused_when_it_would_mean_something_else(
    monkeypatch: pytest.MonkeyPatch, module: str, line: str, message: str
) -> None:
    read = gate_file._source
    monkeypatch.setattr(
        gate_file, "_source", lambda name: read(name) + (f"\n{line}\n" if name == module else "")
    )
    with pytest.raises(ConfigError, match=message):
        build_gate_file()
