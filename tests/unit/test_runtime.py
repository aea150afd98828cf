"""What tasks get from Airflow."""

from datetime import UTC, datetime, timedelta

import pendulum

from include.freezeline.adapters.airflow.runtime import _plain_utc


def test_night_is_a_standard_utc_datetime_when_airflow_hands_over_pendulum() -> None:
    moment = _plain_utc(pendulum.datetime(2026, 10, 14, 2, tz="Europe/Berlin"))
    assert type(moment) is datetime
    assert moment == datetime(2026, 10, 14, tzinfo=UTC)
    assert (moment - timedelta(days=1)).tzinfo is UTC
