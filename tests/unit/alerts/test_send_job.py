"""Sending to receivers on loopback that check every message against its API's schema."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from include.freezeline.adapters.alert_channels import connection_of_url, send_message
from include.freezeline.adapters.retry import Retry
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.cli.alerts import command
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import ALERT_EVENTS, FREEZE_FLAGS
from include.freezeline.errors import AlertError, ConfigError
from include.freezeline.jobs.alert_send import (
    check_channel,
    send_alerts,
    settings_connections,
    try_sending,
)
from include.freezeline.settings import Settings
from tests.unit.alerts.builders import NIGHT, event, night
from tests.unit.alerts.receivers import ROUTING_KEY, Receiver, receiving

AT = NIGHT + timedelta(minutes=30)
SECRETS = ("secret-token", ROUTING_KEY, "am-pass", "hook-bearer", "/services")
NO_WAIT = Retry(random.Random(1), n_attempts=3, sleep=lambda _s: None)  # noqa: S311
SEND = partial(send_message, retry=NO_WAIT, timeout_s=0.5)
KINDS = ("slack", "pagerduty", "alertmanager", "webhook")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as told:
        yield told
    assert told.complaints == []


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver) -> Settings:
    """A warehouse with one alert, and a policy with every channel on."""
    folder = tmp_path / "config"
    folder.mkdir()
    packaged = yaml.safe_load((config_dir(Settings()) / "alerts.yml").read_text())
    for channel in packaged["channels"]:
        channel["is_enabled"] = True
    (folder / "alerts.yml").write_text(yaml.safe_dump(packaged))
    settings = Settings.model_validate(
        {
            "home": tmp_path / "home",
            "config_dir": folder,
            "alert_connections": receiver.connections(),
        }
    )
    add(settings, event())
    return settings


def add(settings: Settings, *events: dict[str, Any]) -> None:
    """Write events, and the flags of their nights."""
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        warehouse.append_revisions(ALERT_EVENTS, events)
        for row in events:
            as_of = row["transitioned_at"]
            warehouse.append_revisions(FREEZE_FLAGS, [flag(as_of)])


def flag(as_of: datetime) -> dict[str, Any]:
    return {
        "flag_key": f"flag-{as_of}", "as_of": as_of, "feature": "f", "environment": "production",
        "state": "OPEN", "is_frozen": False, "since_at": as_of, "slo_name": None, "reason": "",
        "earliest_thaw_at": None, "data_through_at": None, "evaluated_at": as_of,
        "valid_until_at": as_of, "slo_count": 0, "evaluations_json": '{"slos": []}',
    }  # fmt: skip


def send(settings: Settings, at: datetime = AT, as_of: datetime = NIGHT) -> Any:
    return try_sending(settings, as_of, at, settings_connections(settings), send=SEND)


def deliveries(settings: Settings) -> list[dict[str, Any]]:
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        return warehouse.rows(
            "select * from judgement.alert_deliveries order by attempted_at, channel"
        )


def count(receiver: Receiver) -> dict[str, int]:
    return {kind: len(receiver.got[kind]) for kind in KINDS}


def test_every_channel_gets_the_alert_in_its_own_form(world: Settings, receiver: Receiver) -> None:
    done = send(world)
    assert (done.n_delivered, done.n_failed, done.n_pages) == (4, 0, 1)
    assert count(receiver) == dict.fromkeys(KINDS, 1)
    assert receiver.got["pagerduty"][0]["routing_key"] == ROUTING_KEY
    assert receiver.headers["webhook"][0]["Authorization"] == "Bearer hook-bearer"
    assert receiver.headers["webhook"][0]["Idempotency-Key"] == event()["alert_event_key"]
    assert receiver.headers["alertmanager"][0]["Authorization"].startswith("Basic ")
    assert "Authorization" not in receiver.headers["slack"][0]


def test_retry_of_the_task_sends_nothing_twice(world: Settings, receiver: Receiver) -> None:
    send(world)
    again = send(world, AT + timedelta(minutes=5))
    assert (again.n_delivered, again.n_failed) == (0, 0)
    assert count(receiver) == dict.fromkeys(KINDS, 1)


def test_failing_channel_is_recorded_and_does_not_hold_up_others(
    world: Settings, receiver: Receiver
) -> None:
    receiver.fail["pagerduty"] = [503, 503, 503]
    done = send(world)
    assert (done.n_delivered, done.n_failed, done.n_pages) == (3, 1, 0)
    failed = [row for row in deliveries(world) if row["delivery_status"] == "failed"]
    assert [(row["channel"], row["http_status_code"], row["try_count"]) for row in failed] == [
        ("pager", 503, 3)
    ]
    later = send(world, AT + timedelta(minutes=5))
    assert (later.n_delivered, later.n_pages) == (1, 1)
    assert count(receiver) == dict.fromkeys(KINDS, 1)


def test_next_run_sends_what_failed_while_it_is_still_true(
    world: Settings, receiver: Receiver
) -> None:
    receiver.fail["slack"] = [500, 500, 500]
    send(world)
    add(world, event(transition="REFRESHED", transitioned_at=night(1), as_of=night(1)))
    send(world, night(1) + timedelta(minutes=30), night(1))
    assert count(receiver) == {"slack": 1, "pagerduty": 1, "alertmanager": 2, "webhook": 1}


def test_next_run_does_not_send_what_is_over(world: Settings, receiver: Receiver) -> None:
    receiver.fail["slack"] = [500, 500, 500]
    send(world)
    add(world, event(transition="RESOLVED", transitioned_at=night(1), as_of=night(1)))
    send(world, night(1) + timedelta(minutes=30), night(1))
    assert count(receiver)["slack"] == 0
    assert [body["event_action"] for body in receiver.got["pagerduty"]] == ["trigger", "resolve"]


def test_job_fails_after_everything_else_was_sent(world: Settings, receiver: Receiver) -> None:
    receiver.fail["slack"] = [404]
    with pytest.raises(AlertError, match="1 alerts were not delivered, 3 were") as caught:
        send_alerts(world, NIGHT, AT, settings_connections(world), send=SEND)
    assert "answered HTTP 404" in str(caught.value)
    assert receiver.asked.count("slack") == 1  # a refusal is not tried again


def test_busy_channel_is_tried_again(world: Settings, receiver: Receiver) -> None:
    receiver.fail["pagerduty"] = [429]
    assert send(world).n_failed == 0
    assert receiver.asked.count("pagerduty") == 2


def test_chat_that_does_not_answer_is_not_told_twice(world: Settings, receiver: Receiver) -> None:
    receiver.fail["slack"] = [0]
    receiver.fail["webhook"] = [0]
    send(world)
    assert receiver.asked.count("slack") == 1
    assert receiver.asked.count("webhook") == 2  # it knows the key of what it has
    (row,) = [row for row in deliveries(world) if row["channel"] == "quality-chat"]
    assert row["delivery_status"] == "unconfirmed"
    send(world, AT + timedelta(minutes=5))
    assert receiver.asked.count("slack") == 1


def test_dead_channel_is_given_up_for_this_run(world: Settings, receiver: Receiver) -> None:
    more = [event(alert_event_key=f"k{n}", dedup_key=f"d{n}", feature=f"f{n}") for n in range(5)]
    add(world, *more)
    receiver.fail["slack"] = [403] * 10
    done = send(world)
    assert (done.n_failed, receiver.asked.count("slack")) == (6, 3)
    assert done.failures == {"quality-chat": "answered HTTP 403"}
    assert receiver.asked.count("webhook") == 6
    receiver.fail["slack"] = []
    assert send(world, AT + timedelta(minutes=5)).n_delivered == 6


def test_redirect_is_not_followed(world: Settings, receiver: Receiver) -> None:
    receiver.fail["webhook"] = [302]
    receiver.fail["pagerduty"] = [307]
    send(world)
    assert {row["channel"]: row["http_status_code"] for row in deliveries(world)} == {
        "alertmanager": 200, "pager": 307, "quality-chat": 200, "webhook": 302,
    }  # fmt: skip
    assert "/elsewhere" not in receiver.asked


def test_server_that_is_not_there_is_a_failure(world: Settings) -> None:
    gone = dict.fromkeys(world.alert_connections, "http://127.0.0.1:9/secret-token")
    settings = world.model_copy(update={"alert_connections": Settings.model_validate(
        {"alert_connections": gone}).alert_connections})  # fmt: skip
    done = send(settings)
    assert (done.n_delivered, done.n_failed) == (0, 4)
    rows = deliveries(settings)
    reasons = {row["channel"]: row["reason"] for row in rows}
    assert reasons["quality-chat"] == "cannot be reached: ConnectionRefusedError"
    assert reasons["pager"] == "the connection has no routing key (set it as password)"


def test_connection_that_is_missing_is_a_failure_of_its_channel_only(
    world: Settings, receiver: Receiver
) -> None:
    known = {name: url for name, url in world.alert_connections.items() if "slack" not in name}
    done = send(world.model_copy(update={"alert_connections": known}))
    assert (done.n_delivered, done.n_failed) == (3, 1)
    assert "not in FREEZELINE_ALERT_CONNECTIONS" in done.failures["quality-chat"]


def test_past_night_sends_nothing(world: Settings, receiver: Receiver) -> None:
    add(world, event(transition="REFRESHED", transitioned_at=night(1), as_of=night(1)))
    assert send(world, as_of=NIGHT).is_backfill
    assert receiver.asked == []


def test_no_secret_is_in_tables_errors_or_summaries(
    world: Settings, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in KINDS:
        receiver.fail[kind] = [400]
    with pytest.raises(AlertError) as caught:
        send_alerts(world, NIGHT, AT, settings_connections(world), send=SEND)
    connection = settings_connections(world)("freezeline_slack")
    shown = "".join(
        (json.dumps(deliveries(world), default=str), str(caught.value), repr(connection),
         repr(world), *capsys.readouterr())
    )  # fmt: skip
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize(
    "url", ["ftp://host/x-secret", "not a url", "file:///etc/x-secret", "http://"]
)
def test_connection_must_be_a_web_address(url: str) -> None:
    with pytest.raises(AlertError, match="not an http") as caught:
        connection_of_url("freezeline_slack", url)
    assert "x-secret" not in str(caught.value)


def test_connections_that_are_no_json_are_refused_without_quoting_them() -> None:
    from include.freezeline.settings import load_settings

    with pytest.raises(ConfigError, match="FREEZELINE_ALERT_CONNECTIONS") as caught:
        load_settings({"FREEZELINE_ALERT_CONNECTIONS": "https://hooks/secret-token"})
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize("name", ["pager", "quality-chat", "alertmanager", "webhook"])
def test_test_message_is_taken_back_where_that_can_be_done(
    world: Settings, receiver: Receiver, name: str
) -> None:
    done = check_channel(world, name, AT, settings_connections(world), send=SEND)
    assert done.status == "delivered"
    assert sum(count(receiver).values()) == (2 if name in ("pager", "alertmanager") else 1)
    assert deliveries(world) == []


def test_unknown_channel_is_named_with_the_known_ones(world: Settings) -> None:
    with pytest.raises(AlertError, match=r"pagr: no such channel .*pager"):
        check_channel(world, "pagr", AT, settings_connections(world))


def run(settings: Settings, *words: str) -> Any:
    return CliRunner().invoke(command, words, env=settings.as_environment(), standalone_mode=False)


def test_commands_print_json(world: Settings, receiver: Receiver) -> None:
    at = AT.isoformat()
    before = json.loads(run(world, "send", "--dry-run", "--at", at).output)
    assert {each["channel"] for each in before} == {
        "pager",
        "quality-chat",
        "alertmanager",
        "webhook",
    }
    assert ROUTING_KEY not in json.dumps(before)
    assert receiver.asked == []
    sent = json.loads(run(world, "send", "--at", at, "--format", "json").output)
    assert (sent["n_delivered"], sent["n_failed"]) == (4, 0)
    (row,) = json.loads(run(world, "list", "--format", "json").output)
    assert {
        each["channel"]: each["delivery_status"] for each in row["deliveries"]
    } == dict.fromkeys(("pager", "quality-chat", "alertmanager", "webhook"), "delivered")
    assert "P1 OPENED serving: support-assistant" in run(world, "list", "--open").output
    assert run(world, "list", "--feature", "nobody").output == "no alert\n"
    tested = json.loads(run(world, "test-channel", "webhook", "--format", "json").output)
    assert tested["status"] == "delivered"


def test_commands_say_what_is_missing(settings: Settings) -> None:
    for words in (["plan"], ["send"], ["list"]):
        error = run(settings, *words).exception
        assert "run the nightly DAG" in str(error)
    assert not settings.warehouse_path.exists()
