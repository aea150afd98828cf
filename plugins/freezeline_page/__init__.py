"""The Freezeline page of the Airflow UI."""
