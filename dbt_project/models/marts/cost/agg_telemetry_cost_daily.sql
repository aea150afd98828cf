-- What watching costs against what is watched. An object of several services is shared among them
-- by their spans; one without spans (logs, metrics, contents) belongs to no service. Spend is that
-- of the calls that arrived on the same day.
{% set groups = ['service_name', 'arrival_date'] %}

with

objects as (
    select
        *,
        cast(arrived_at as date) as arrival_date
    from {{ ref('stg_landing__objects') }}
    where signal <> 'fact'
),

spans as (
    select
        source_object,
        service_name,
        sum(n_spans) as n_spans,
        sum(sum(n_spans)) over (partition by source_object) as n_object_spans
    from {{ ref('int_daily__spans_counted') }}
    group by source_object, service_name
),

shares as (
    select
        objects.arrival_date,
        spans.service_name,
        coalesce(spans.n_spans, 0) as n_spans,
        cast(objects.object_size_bytes as double)
        * coalesce(cast(spans.n_spans as double) / spans.n_object_spans, 1) as share_bytes
    from objects
    left join spans on objects.source_object = spans.source_object
),

spend as (
    select
        service_name,
        arrival_date,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_unpriced_calls) as bigint) as n_unpriced_calls,
        cast(sum(cost_usd) as decimal(18, 9)) as cost_usd
    from {{ ref('int_daily__spend_counted') }}
    group by service_name, arrival_date
),

stored as (
    select
        service_name,
        arrival_date,
        cast(sum(n_spans) as bigint) as n_spans,
        cast(round(sum(share_bytes)) as bigint) as stored_bytes
    from shares
    group by service_name, arrival_date
),

priced as (
    select
        stored.*,
        coalesce(spend.n_calls, 0) as n_calls,
        coalesce(spend.n_unpriced_calls, 0) as n_unpriced_calls,
        spend.cost_usd,
        cast(
            cast(stored.stored_bytes * {{ policy_number('telemetry_usd_per_gib') }} as double)
            / 1073741824
            as decimal(18, 9)
        ) as telemetry_usd,
        {{ policy_number_by('telemetry_max_spend_ratio', 'stored.service_name') }}
            as max_spend_ratio
    from stored
    left join spend
        on
            stored.service_name is not distinct from spend.service_name
            and stored.arrival_date = spend.arrival_date
)

select
    {{ surrogate_key(groups) }} as telemetry_day_key,
    service_name,
    arrival_date,
    n_spans,
    n_calls,
    n_unpriced_calls,
    stored_bytes,
    cast(stored_bytes as double) / nullif(n_calls, 0) as stored_per_call_bytes,
    telemetry_usd,
    cost_usd,
    cast(telemetry_usd as double) / nullif(cast(cost_usd as double), 0) as spend_ratio,
    cast(max_spend_ratio as double) as max_spend_ratio,
    case
        when cost_usd is null or cost_usd = 0 or max_spend_ratio is null
            then 'insufficient_evidence'
        when telemetry_usd <= cost_usd * max_spend_ratio then 'ok'
        when n_unpriced_calls > 0 then 'insufficient_evidence'
        else 'breach'
    end as verdict
from priced
