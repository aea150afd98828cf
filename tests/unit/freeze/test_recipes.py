"""The recipes for other teams' pipelines: their own steps, run with the gate that is one file."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from include.freezeline.freeze.gate import CHANGE_CLASSES
from include.freezeline.jobs.gate_file import build_gate_file
from tests.unit.freeze.documents import make_document, make_override, sign
from tests.unit.freeze.gates import publish_to

FOLDER = Path("docs/how-to/ask-the-gate")
PAGE = Path("docs/how-to/ask-the-gate.md")
COMMIT = "4f1c2ab"
INSTALL = ["cryptography>=42", "rfc8785>=0.1.4"]

# What the recipes ask about, by the codes that the gate answers.
WORLDS: dict[str, tuple[dict[str, str], int]] = {
    "open": ({"support-assistant": "OPEN", "risk-summariser": "WARNING"}, 0),
    "frozen": ({"support-assistant": "OPEN", "risk-summariser": "FROZEN"}, 3),
    "unknown": ({"support-assistant": "FROZEN"}, 5),
    "stale": ({"support-assistant": "OPEN", "risk-summariser": "OPEN"}, 4),
}


def _document(world: str, sequence: int = 7, **more: Any) -> bytes:
    """Return a signed document that is fresh by this machine's clock, or stale."""
    hours_ago = 40 if world == "stale" else 1
    evaluated_at = datetime.now(UTC) - timedelta(hours=hours_ago)
    document = make_document(sequence=sequence)
    (example, *_) = document["features"]
    document["features"] = [
        {**example, "feature": feature, "state": state, **more}
        for feature, state in WORLDS[world][0].items()
    ]
    moments = {"evaluated_at": evaluated_at, "valid_until": evaluated_at + timedelta(hours=30)}
    return sign(document | {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in moments.items()})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return another team's checkout: the gate and the key in ``ci``, nothing of ours."""
    folder = tmp_path / "checkout"
    key = publish_to(tmp_path / "published") / "freeze.pub.pem"
    (folder / "ci").mkdir(parents=True)
    (folder / "ci" / "freezeline_gate.py").write_text(build_gate_file(), encoding="utf-8")
    shutil.copy(key, folder / "ci" / "freeze.pub.pem")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return folder


def _recipe(name: str) -> Any:
    """Return a recipe; YAML reads GitHub's key ``on`` as true."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def _run(checkout: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a step's script as the runners do."""
    source = checkout.parent / "published"
    environment = {
        "PATH": f"{checkout.parent / 'bin'}:{os.environ['PATH']}",
        "HOME": str(checkout),
        "FREEZE_SOURCE": source.as_uri(),
        "FREEZE_ENVIRONMENT": "production",
        "FREEZE_CHANGE_CLASS": "feature",
        "FREEZE_CHANGE_REF": COMMIT,
        "CI_COMMIT_SHA": COMMIT,
        # A virtual environment's interpreter finds its packages from the link, too.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("-packages")),
        **variables,
    }
    return subprocess.run(  # noqa: S603
        ["bash", "-e", "-o", "pipefail", "-c", script],  # noqa: S607
        cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def _github_step(name: str) -> dict[str, Any]:
    """Return a step of the gate's job by its name."""
    steps = _recipe("github-actions.yml")["jobs"]["release-freeze"]["steps"]
    (step,) = (step for step in steps if step.get("name") == name)
    found: dict[str, Any] = step
    return found


def _gitlab_script() -> str:
    """Return the script of the gate's job."""
    (script,) = _recipe("gitlab-ci.yml")["release-freeze"]["script"]
    return str(script)


SCRIPTS = {
    "github": lambda: str(_github_step("Ask the gate")["run"]),
    "gitlab": _gitlab_script,
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("pipeline", SCRIPTS)
def test_step_ends_with_the_gates_exit_code(checkout: Path, pipeline: str, world: str) -> None:
    publish_to(checkout.parent / "published", _document(world))
    script = SCRIPTS[pipeline]()
    done = _run(checkout, script)
    assert done.returncode == WORLDS[world][1], done
    rollback = _run(checkout, script, FREEZE_CHANGE_CLASS="rollback")
    assert rollback.returncode == 0, rollback
    if pipeline == "github":
        kinds = [line.split(" ")[0] for line in done.stdout.splitlines()]
        assert ("::error" in kinds) == (done.returncode != 0)
        assert set(kinds) <= {"::error", "::notice"}
    else:
        report = ET.parse(checkout / "freeze.xml").getroot()  # noqa: S314 - our own
        assert report.attrib["tests"] == "2"
        assert (report.attrib["failures"], report.attrib["errors"]) == ("0", "0")  # the rollback


@pytest.mark.parametrize("pipeline", SCRIPTS)
@pytest.mark.parametrize(("change_ref", "code"), [(COMMIT, 0), (None, 0), ("another", 3)])
def test_step_passes_with_an_override_of_its_commit(
    checkout: Path, pipeline: str, change_ref: str | None, code: int
) -> None:
    granted = datetime.now(UTC) - timedelta(minutes=1)
    times = {"created_at": granted, "expires_at": granted + timedelta(hours=8)}
    override = make_override(
        change_ref=change_ref, **{n: at.isoformat() for n, at in times.items()}
    )
    publish_to(checkout.parent / "published", _document("frozen", overrides=[override]))
    assert _run(checkout, SCRIPTS[pipeline]()).returncode == code


@pytest.mark.parametrize("pipeline", SCRIPTS)
@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"FREEZE_SOURCE": ""}, 2),
        ({"FREEZE_SOURCE": "/nowhere"}, 4),
        ({"FREEZE_SOURCE": "http://127.0.0.1:1/x"}, 4),
        ({"FREEZE_CHANGE_CLASS": ""}, 2),
        ({"FREEZE_CHANGE_CLASS": "rollback --at 2020-01-01"}, 2),
        ({"FREEZE_ENVIRONMENT": ""}, 2),
        ({"FREEZE_ENVIRONMENT": "elsewhere"}, 5),
    ],
)  # fmt: skip
def test_step_fails_when_a_variable_is_wrong(
    checkout: Path, pipeline: str, variables: dict[str, str], code: int
) -> None:
    publish_to(checkout.parent / "published", _document("open"))
    assert _run(checkout, SCRIPTS[pipeline](), **variables).returncode == code


@pytest.mark.parametrize("pipeline", SCRIPTS)
@pytest.mark.parametrize("lost", ["freezeline_gate.py", "freeze.pub.pem"])
def test_step_fails_when_a_file_is_not_there(checkout: Path, pipeline: str, lost: str) -> None:
    publish_to(checkout.parent / "published", _document("open"))
    (checkout / "ci" / lost).unlink()
    assert _run(checkout, SCRIPTS[pipeline]()).returncode not in (0, 3)


@pytest.mark.parametrize("pipeline", SCRIPTS)
def test_step_remembers_what_it_saw_while_frozen(checkout: Path, pipeline: str) -> None:
    published, script = checkout.parent / "published", SCRIPTS[pipeline]()
    publish_to(published, _document("open", 6))
    assert _run(checkout, script).returncode == 0
    publish_to(published, _document("frozen", 7))
    assert _run(checkout, script).returncode == 3
    publish_to(published, _document("open", 6))
    assert _run(checkout, script).returncode == 4
    shutil.rmtree(checkout / ".freeze-state")  # a lost cache begins anew
    assert _run(checkout, script).returncode == 0


def test_github_recipe_always_runs_and_deploys_only_after_a_yes() -> None:
    recipe = _recipe("github-actions.yml")
    gate, deploy = recipe["jobs"]["release-freeze"], recipe["jobs"]["deploy"]
    assert gate["if"] == "always()"
    assert deploy["needs"] == "release-freeze"
    assert not re.search(r"always|failure|cancelled", deploy["if"])
    text = (FOLDER / "github-actions.yml").read_text(encoding="utf-8")
    assert "continue-on-error" not in text
    for job in recipe["jobs"].values():
        for step in job["steps"]:
            # What somebody else may write must come through a variable, not into the script.
            assert "${{" not in step.get("run", "")
    (saved,) = (s for s in gate["steps"] if s.get("uses", "").startswith("actions/cache/save"))
    assert saved["if"] == "always()"
    assert recipe[True]["workflow_dispatch"]["inputs"]["change_class"]["options"] == [
        "feature", "rollback", "security_fix", "reliability_fix", "canary",
    ]  # fmt: skip
    assert set(CHANGE_CLASSES) == set(
        recipe[True]["workflow_dispatch"]["inputs"]["change_class"]["options"]
    )


def test_gitlab_recipe_always_runs_and_deploys_only_after_a_yes() -> None:
    recipe = _recipe("gitlab-ci.yml")
    gate = recipe["release-freeze"]
    assert gate["rules"] == [{"when": "always"}]
    assert gate["allow_failure"] is False
    assert gate["cache"]["when"] == gate["artifacts"]["when"] == "always"
    assert recipe["deploy"]["needs"] == ["release-freeze"]
    assert recipe["stages"] == ["gate", "deploy"]


def test_recipes_install_what_the_gate_names(checkout: Path) -> None:
    header = (checkout / "ci" / "freezeline_gate.py").read_text(encoding="utf-8").split("# ///")[1]
    assert re.findall(r'"([a-z0-9]+>=[\d.]+)"', header) == INSTALL
    named = " ".join(f'"{package}"' for package in INSTALL)
    assert named in _github_step("Install what the gate needs")["run"]
    assert named in _recipe("gitlab-ci.yml")["release-freeze"]["before_script"][0]
    server, _ = yaml.safe_load_all((FOLDER / "argo-gate-server.yml").read_text(encoding="utf-8"))
    assert server["spec"]["template"]["spec"]["initContainers"][0]["command"][-2:] == INSTALL


@contextmanager
def _argo_server(checkout: Path) -> Iterator[str]:
    """Run the command of the recipe's container; yields the server's address."""
    server, _ = yaml.safe_load_all((FOLDER / "argo-gate-server.yml").read_text(encoding="utf-8"))
    (container,) = server["spec"]["template"]["spec"]["containers"]
    here = {
        "/gate/": f"{checkout}/ci/",
        "/state/": f"{checkout}/state/",
        "https://freeze.example.com/published": (checkout.parent / "published").as_uri(),
        "--host=0.0.0.0": "--host=127.0.0.1",
        "--port=8080": "--port=0",
    }
    command = list(container["command"])
    assert command[0] == "python"
    for there, replacement in here.items():
        assert any(there in part for part in command), there
        command = [part.replace(there, replacement) for part in command]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, *command[1:]],
        cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
            assert found
            yield found.group()
        finally:
            running.terminate()
            running.wait(20)


def _phase(metric: dict[str, Any], result: dict[str, Any]) -> str:
    """Judge a measurement as Argo Rollouts does when a metric has both conditions."""
    python = {"&&": " and ", "||": " or ", "true": "True", "false": "False"}

    def holds(condition: str) -> bool:
        for theirs, ours in python.items():
            condition = condition.replace(theirs, ours)
        condition = re.sub(r"result\.(\w+)", r'result["\1"]', condition)
        return bool(eval(condition, {"__builtins__": {}}, {"result": result}))  # noqa: S307 - our file

    if holds(metric["failureCondition"]):
        return "Failed"
    return "Successful" if holds(metric["successCondition"]) else "Inconclusive"


def _measure(address: str, metric: dict[str, Any], **args: str) -> str:
    """Take the metric's measurement from a server."""
    url = metric["provider"]["web"]["url"]
    for name, value in args.items():
        url = url.replace("{{args." + name.replace("_", "-") + "}}", value)
    assert "{{" not in url
    url = re.sub(r"^http://[^/]+", address, url)
    with urlopen(url, timeout=metric["provider"]["web"]["timeoutSeconds"]) as response:  # noqa: S310
        assert response.status == 200
        return _phase(metric, json.load(response))


def test_argo_measures_the_gates_answer(checkout: Path) -> None:
    template = _recipe("argo-analysis-template.yml")
    (metric,) = template["spec"]["metrics"]
    assert (metric["count"], metric["failureLimit"], metric["inconclusiveLimit"]) == (1, 0, 0)
    assert "jsonPath" not in metric["provider"]["web"], "result is the whole answer"
    args = {item["name"].replace("-", "_"): item.get("value") for item in template["spec"]["args"]}
    assert set(args) == {"feature", "environment", "change_class"}
    published = checkout.parent / "published"
    expected = {
        ("open", "feature"): "Successful",
        ("frozen", "feature"): "Failed",
        ("frozen", "security_fix"): "Successful",
        ("unknown", "feature"): "Failed",
        ("stale", "feature"): "Failed",
        ("stale", "reliability_fix"): "Successful",
        ("stale", "rollback"): "Successful",
        ("open", "hotfix"): "Failed",
    }
    with _argo_server(checkout) as address:
        for (world, change_class), phase in expected.items():
            publish_to(published, _document(world))
            given = args | {"feature": "risk-summariser", "change_class": change_class}
            assert _measure(address, metric, **given) == phase, (world, change_class)
        (published / "freeze.json").unlink()
        assert _measure(address, metric, **args | {"feature": "risk-summariser"}) == "Failed"
        rolled_back = args | {"feature": "risk-summariser", "change_class": "rollback"}
        assert _measure(address, metric, **rolled_back) == "Successful"


def test_argo_pauses_when_an_answer_makes_no_sense() -> None:
    (metric,) = _recipe("argo-analysis-template.yml")["spec"]["metrics"]
    assert _phase(metric, {"allow": True, "fresh": False, "reason": "open"}) == "Inconclusive"
    assert _phase(metric, {"allow": "true", "fresh": True, "reason": "open"}) == "Failed"


def test_argo_server_recipe_fits_together() -> None:
    text = (FOLDER / "argo-gate-server.yml").read_text(encoding="utf-8")
    deployment, service = yaml.safe_load_all(text)
    pod = deployment["spec"]["template"]
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    (container,) = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["spec"]["volumes"]
    }
    (metric,) = _recipe("argo-analysis-template.yml")["spec"]["metrics"]
    name, space = service["metadata"]["name"], service["metadata"]["namespace"]
    port = service["spec"]["ports"][0]["port"]
    assert f"http://{name}.{space}.svc.cluster.local:{port}/" in metric["provider"]["web"]["url"]


def test_page_names_every_recipe() -> None:
    page = PAGE.read_text(encoding="utf-8")
    recipes = sorted(path.name for path in FOLDER.iterdir())
    assert len(recipes) == 4
    assert all(f"(ask-the-gate/{name})" in page for name in recipes)
