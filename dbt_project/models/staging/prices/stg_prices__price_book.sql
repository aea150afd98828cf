select
    provider,
    model,
    valid_from_at,
    valid_to_at,
    input_usd_per_token,
    cache_read_usd_per_token,
    output_usd_per_token,
    price_source,
    unpriced_reason
from {{ read_lake('price_book') }}
