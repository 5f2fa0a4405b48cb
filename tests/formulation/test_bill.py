"""The electricity bill of a fleet as a linear program."""

import numpy as np

from gridtwin.dispatch import bill as block
from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.optim import Program


def test_bill_with_demand_charge(check_golden):
    """busy[time, site], draw[time, bus], peak[month, bus]: three half hours, sites 0 and 2 at bus 2, site 1 at bus 0.

    A busy node draws 1 MW; besides, 3 MW are drawn at bus 2 in step 0. Step 2 is in the next month; in the first one
    bus 2 has reached 4 MW before. A MW of peak costs 100, a MWh at bus 0 10, 20, 30 and at bus 2 60, 50, 40.
    """
    program, site_bus = Program(), np.array([2, 0, 2])
    busy = program.columns((3, 3), upper=5.0)
    injection = InjectionMap.fixed(np.array([[0.0, 0.0, -3.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    injection.add(busy, site_bus, -1.0)
    price = np.array([[10.0, -1.0, 60.0], [20.0, -1.0, 50.0], [30.0, -1.0, 40.0]])
    bill = block.Bill(price, 100.0, np.array([7, 7, 8]), np.array([0.0, 9.0, 4.0]))
    draw = block._add_draw(program, injection, site_bus, price * 0.5)
    before = program.n_columns
    block._add_peaks(program, bill, draw, np.unique(site_bus))
    peak = before + np.arange(4).reshape(2, 2)
    check_golden(program, {"busy": busy, "draw": draw, "peak": peak})
