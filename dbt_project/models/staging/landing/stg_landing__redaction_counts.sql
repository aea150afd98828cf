-- the night is the one whose ledger row the object has: the midnight after its arrival
select
    source_object,
    entity_type,
    value_count,
    arrived_at,
    cast(date_trunc('day', arrived_at) + interval 1 day as {{ type_instant() }}) as night_as_of
from {{ read_lake('redaction_counts') }}
where arrived_at < {{ as_of() }}
