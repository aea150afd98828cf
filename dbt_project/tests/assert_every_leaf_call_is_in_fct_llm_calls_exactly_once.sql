-- a join that multiplies or loses calls shows here, whatever it joins
with

delivered as (
    select count(*) as n_calls
    from {{ ref('stg_otel__spans') }}
    where is_leaf_model_call and {{ touched_rows('cast(started_at as date)') }}
),

published as (
    select count(*) as n_calls
    from {{ ref('fct_llm_calls') }}
    where {{ touched_rows('call_date') }}
)

select
    delivered.n_calls as n_delivered_calls,
    published.n_calls as n_published_calls
from delivered
cross join published
where delivered.n_calls <> published.n_calls
