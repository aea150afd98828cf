-- a model is a function of its inputs and as_of
select model_name
from ({{ wall_clock_readers() }}) as offenders
where model_name is not null
