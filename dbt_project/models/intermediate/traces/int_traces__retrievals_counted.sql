-- one retrieval that does not say what it found, or stands for collapsed ones that no longer can,
-- makes the trace's total unknown, not smaller
select
    trace_id,
    case
        when
            count(*) = count(
                case when coalesce(collapsed_span_count, 1) = 1 then retrieved_document_count end
            )
            then cast(sum(retrieved_document_count) as bigint)
    end as retrieved_document_count
from {{ ref('stg_otel__spans') }}
where span_type = 'retrieval'
group by trace_id
