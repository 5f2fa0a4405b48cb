from datetime import UTC, datetime

import pytest

from gridtwin.timegrid import TimeGrid


@pytest.mark.parametrize(("step_s", "steps"), [(900, 96), (3600, 24), (43_200, 2), (86_400, 1)])
def test_every_step_has_a_place_in_its_day(step_s, steps):
    time = TimeGrid(datetime(2020, 1, 1, 22, tzinfo=UTC), step_s, 10, 1, 1)
    assert time.steps_per_day == steps
    first = 22 * 3600 // step_s
    assert [time.step_of_day(step) for step in range(2 * steps)] == [
        (first + step) % steps for step in range(2 * steps)
    ]
