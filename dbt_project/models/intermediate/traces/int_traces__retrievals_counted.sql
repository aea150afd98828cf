-- one retrieval that does not say what it found makes the trace's total unknown, not smaller
select
    trace_id,
    case
        when count(*) = count(retrieved_document_count)
            then cast(sum(retrieved_document_count) as bigint)
    end as retrieved_document_count
from {{ ref('stg_otel__spans') }}
where span_type = 'retrieval'
group by trace_id
