{{ config(materialized='by_day', meta={'day': 'arrival_date', 'axes': ['arrival']}) }}

select
    {{ surrogate_key(['source_object', 'source_offset']) }} as quarantined_record_key,
    source_object,
    source_offset,
    source_sha256,
    reason,
    detail_redacted,
    sample_redacted,
    arrived_at,
    cast(arrived_at as date) as arrival_date,
    night_as_of
from {{ ref('stg_landing__quarantined_records') }}
