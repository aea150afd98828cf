-- streamed answers of the last seven days; a stall is a gap of more than two seconds between chunks
with

streams as (
    select
        *,
        {{ exact_weight() }} as weight
    from {{ ref('fct_llm_calls') }}
    where
        called_at >= {{ days_before_as_of(7) }}
        and not is_canary
        and is_stream
),

counted as (
    select
        feature,
        environment,
        request_model,
        count(*) as n_streams,
        count(chunk_gap_max_ms) as n_chunk_gaps,
        {{ weighted_ratio('chunk_gap_max_ms > 2000', 'chunk_gap_max_ms is not null') }}
            as stalled_ratio,
        max(chunk_gap_max_ms) as chunk_gap_max_ms
    from streams
    group by feature, environment, request_model
)

select
    {{ surrogate_key(['feature', 'environment', 'request_model']) }} as question_key,
    feature,
    environment,
    request_model,
    n_streams,
    n_chunk_gaps,
    {{ if_enough('n_chunk_gaps', 'stalled_ratio') }} as stalled_ratio,
    chunk_gap_max_ms,
    {{ answer_of('stalled_ratio >= 0.01', ['n_chunk_gaps']) }} as answer
from counted
