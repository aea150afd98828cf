"""Airflow connections as alert channels need them."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from include.freezeline.adapters.alert_channels import (
    PAGERDUTY_URL,
    AlertConnection,
    connection_of_url,
)
from include.freezeline.errors import AlertError

_SLACK_URL = "https://hooks.slack.com/services"


def alert_connection(name: str) -> AlertConnection:
    """Return the connection of a channel; neither error nor result shows what is in it.

    Host, port and schema give the address (``https`` unless the schema says otherwise), or a host
    that is a whole URL does. A connection of PagerDuty or Slack needs no host.

    Raises:
        AlertError: There is no such connection, or its host is no address.
    """
    try:
        found = Connection.get(name)
    except AirflowNotFoundException:
        found = None
    if found is None:
        message = f"connection {name}: no such Airflow connection (add it, or correct alerts.yml)"
        raise AlertError(message) from None
    address = connection_of_url(name, _url(found))
    return AlertConnection(
        address.url, found.login or address.login, found.password or address.password
    )


def _url(found: Connection) -> str:
    """Return the address of a connection."""
    host = found.host or _default_host(found.conn_type or "")
    if "://" in host:
        return str(host)
    scheme = found.schema if found.schema in ("http", "https") else "https"
    port = f":{found.port}" if found.port else ""
    return f"{scheme}://{host}{port}"


def _default_host(conn_type: str) -> str:
    """Return the address of a service that has only one."""
    if conn_type.startswith("slack"):
        return _SLACK_URL
    return PAGERDUTY_URL if conn_type.startswith("pagerduty") else ""
