{{ config(materialized='by_day', meta={'day': 'cast(period_started_at as date)'}) }}

{{ call_statistics('day') }}
