"""Airflow connections as channels need them."""

from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from include.freezeline.adapters.airflow.connections import alert_connection
from include.freezeline.errors import AlertError


def given(monkeypatch: pytest.MonkeyPatch, **values: Any) -> Any:
    connection = Connection(conn_id="freezeline_slack", **values)
    monkeypatch.setattr(Connection, "get", lambda _name: connection)
    return alert_connection("freezeline_slack")


def test_slack_needs_only_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(monkeypatch, conn_type="slackwebhook", password="T0/B0/token")
    assert (found.url, found.password) == ("https://hooks.slack.com/services", "T0/B0/token")
    assert "token" not in repr(found)


def test_pagerduty_needs_only_its_routing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(monkeypatch, conn_type="pagerduty_events", password="key")
    assert (found.url, found.password) == ("https://events.pagerduty.com", "key")


def test_host_port_and_schema_give_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(
        monkeypatch, conn_type="http", host="am.local", port=9093, schema="http", login="a",
        password="b",
    )  # fmt: skip
    assert (found.url, found.login, found.password) == ("http://am.local:9093", "a", "b")
    assert given(monkeypatch, conn_type="http", host="am.local").url == "https://am.local"
    assert given(monkeypatch, conn_type="http", host="http://am/x").url == "http://am/x"


def test_connection_without_a_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AlertError, match="not an http"):
        given(monkeypatch, conn_type="http", password="secret")


def test_connection_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise AirflowNotFoundException

    monkeypatch.setattr(Connection, "get", missing)
    with pytest.raises(AlertError, match="freezeline_slack: no such Airflow connection"):
        alert_connection("freezeline_slack")
