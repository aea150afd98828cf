-- an object's spans may have happened on several days
{{ config(materialized='by_day', meta={'day': 'span_date'}) }}

select
    cast(started_at as date) as span_date,
    source_object,
    service_name,
    count(*) as n_spans
from {{ ref('stg_otel__spans') }}
group by cast(started_at as date), source_object, service_name
