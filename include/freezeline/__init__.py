"""Freezeline: tells a company when its LLM features are up but wrong, and freezes their releases.

Import rule (a test enforces it)::

    dags -> jobs, adapters.airflow        cli -> jobs        plugins -> reports.queries
    jobs -> adapters, domain              domain -> contracts, stats, errors

``domain`` is readers, redaction, landing, stats, drift, slo, freeze, cost, facts, retention,
erasure, sealing, labelling, reports and expectations. It never imports adapters, Airflow, boto3, duckdb, dbt or torch. This package has
one import name, ``include.freezeline``; importing it imports nothing else.
"""
