"""The Airflow page in a real browser against a real api-server, behind the real login."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.warehouse import publish_snapshot
from include.freezeline.settings import Settings
from tests.unit.reports.sample_night import FROZEN_FEATURE, write_file

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(300)]

_ROOT = Path(__file__).resolve().parents[2]
_AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
_USER, _PASSWORD = "viewer", "correct horse"
_START_LIMIT_S = 150.0
_PAGE_LIMIT_S = 60.0
_CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1360,1250",
)


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running api-server."""

    url: str
    settings: Settings

    def get(self, path: str, token: str | None = None) -> tuple[int, str]:
        """Return status and body of a page."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)  # noqa: S310
        return _fetch(request)

    def token(self, user: str = _USER, password: str = _PASSWORD) -> str:
        """Log in over the API and return the token."""
        body = json.dumps({"username": user, "password": password}).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/auth/token", data=body, headers={"Content-Type": "application/json"}
        )
        status, text = _fetch(request)
        assert status == 201, text
        return str(json.loads(text)["access_token"])


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Start an api-server alone, on a free loopback port and a throw-away home."""
    folder = tmp_path_factory.mktemp("airflow")
    settings = Settings.model_validate({"home": folder / "freezeline"})
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environ = _environment(folder, settings, url)
    command = [sys.executable, "-m", "airflow"]
    migrate = [*command, "db", "migrate"]
    subprocess.run(migrate, env=environ, check=True, capture_output=True, cwd=folder)  # noqa: S603
    serve = [*command, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    log_path = folder / "api-server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            serve, env=environ, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
        try:
            _wait_until_up(url, process, log_path)
            yield Airflow(url, settings)
        finally:
            _stop(process)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Start headless Chromium with Debian's own driver."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        message = "chromium and chromedriver are not installed (apt-get install chromium-driver)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_CHROMIUM_FLAGS, f"--user-data-dir={tmp_path / 'chromium'}"):
        options.add_argument(flag)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield started
    finally:
        started.quit()


# The tests share one server and run in file order: first nothing is published, then a night.
def test_page_says_nothing_published_when_no_night_has_run(airflow: Airflow) -> None:
    token = airflow.token()
    status, page = airflow.get("/freezeline/", token)
    assert status == 200
    assert "Nothing has been published yet" in page
    assert "No release is frozen" not in page
    status, text = airflow.get("/freezeline/status.json", token)
    assert status == 404
    assert json.loads(text)["is_any_frozen"] is None


def test_page_is_an_outage_when_the_snapshot_is_gone(airflow: Airflow) -> None:
    _publish(airflow.settings)
    pointer = airflow.settings.snapshot_dir / "current.json"
    good = pointer.read_text()
    pointer.write_text('{"file": "gone.duckdb"}')
    try:
        status, page = airflow.get("/freezeline/", airflow.token())
    finally:
        pointer.write_text(good)
    assert status == 503
    assert "cannot be read" in page
    assert "No release is frozen" not in page


@pytest.mark.parametrize("path", ["/freezeline/", "/freezeline/report", "/freezeline/status.json"])
def test_page_is_refused_when_not_logged_in(airflow: Airflow, path: str) -> None:
    _publish(airflow.settings)
    status, body = airflow.get(path)
    assert status == 401
    assert FROZEN_FEATURE not in body
    assert airflow.get(path, "not-a-token")[0] in {401, 403}
    assert airflow.get(path, airflow.token())[0] == 200


@pytest.mark.parametrize("path", ["/freezeline/docs", "/freezeline/openapi.json"])
def test_plugin_has_no_unguarded_routes_when_asked_for_docs(airflow: Airflow, path: str) -> None:
    assert airflow.get(path)[0] == 404


def test_json_names_the_frozen_feature_when_a_night_is_published(airflow: Airflow) -> None:
    _publish(airflow.settings)
    found = json.loads(airflow.get("/freezeline/status.json", airflow.token())[1])
    frozen = [item["feature"] for item in found["features"] if item["flag"]["is_frozen"]]
    assert frozen == [FROZEN_FEATURE]
    assert found["status"] == "published"
    assert found["night"]["sources"]


def test_page_shows_the_frozen_feature_when_logged_in(
    airflow: Airflow, browser: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support import expected_conditions as expected
    from selenium.webdriver.support.wait import WebDriverWait

    _publish(airflow.settings)
    wait = WebDriverWait(browser, _PAGE_LIMIT_S)
    browser.get(f"{airflow.url}/auth/login")
    wait.until(expected.element_to_be_clickable((By.NAME, "username"))).send_keys(_USER)
    browser.find_element(By.NAME, "password").send_keys(_PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait.until(lambda page: "/auth/login" not in page.current_url)
    # Through Airflow's own navigation entry, in the frame that Airflow puts around plugins.
    browser.get(f"{airflow.url}/plugin/freezeline")
    frame = wait.until(expected.presence_of_element_located((By.TAG_NAME, "iframe")))
    browser.switch_to.frame(frame)
    row = wait.until(
        expected.presence_of_element_located((By.CSS_SELECTOR, "tr[data-state=FROZEN]"))
    )
    assert row.get_attribute("data-feature") == FROZEN_FEATURE
    assert FROZEN_FEATURE in row.text
    assert "FROZEN" in browser.find_element(By.TAG_NAME, "h1").text
    states = browser.find_elements(By.CSS_SELECTOR, "tr[data-state]")
    assert len(states) == 4
    _screenshot(browser, "airflow_page.png", tmp_path)
    browser.find_element(By.LINK_TEXT, "full report").click()
    wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, "svg.chart")))
    assert "What happens next" in browser.find_element(By.TAG_NAME, "main").text
    _screenshot(browser, "airflow_report.png", tmp_path)


def _publish(settings: Settings) -> None:
    """Publish the sample night once."""
    if not settings.warehouse_path.exists():
        write_file(settings.warehouse_path, _AS_OF)
        publish_snapshot(settings, _AS_OF)


def _environment(folder: Path, settings: Settings, url: str) -> dict[str, str]:
    """Return a clean environment for Airflow: nothing of the caller's Airflow leaks in."""
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({_USER: _PASSWORD}))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "FREEZELINE_"))
    }
    database = folder / "airflow.db"
    return {
        **kept,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(_ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{_USER}:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "FREEZELINE_HOME": str(settings.home),
        "PYTHONPATH": str(_ROOT),
    }


def _wait_until_up(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for the server's health page; fail with its log when it dies or takes too long."""
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if _fetch(urllib.request.Request(f"{url}/api/v2/version"))[0] == 200:  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    tail = log.read_text(errors="replace")[-3000:]
    pytest.fail(f"api-server did not come up (exit status {process.poll()}):\n{tail}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop the server and its workers: the whole process group that was started here."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=15)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _fetch(request: urllib.request.Request) -> tuple[int, str]:
    """Return status and body, refused requests included."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _screenshot(browser: Any, name: str, tmp_path: Path) -> None:
    """Save what the browser shows, for the docs when SCREENSHOT_DIR names a folder."""
    folder = Path(os.environ.get("SCREENSHOT_DIR") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    assert browser.save_screenshot(str(target))
    assert target.stat().st_size > 10_000
