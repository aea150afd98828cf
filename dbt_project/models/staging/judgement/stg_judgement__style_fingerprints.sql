select *
from {{ source('judgement', 'style_fingerprints') }}
