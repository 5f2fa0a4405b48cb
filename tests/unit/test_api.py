from dataclasses import replace

import numpy as np
import pytest

from gridtwin import api
from gridtwin.errors import ComputeError, GridError


def test_a_refused_run_writes_nothing(pocket, tmp_path):
    study = pocket("policy=asap")
    far_apart = replace(study.units, vm_set_pu=np.where(study.units.bus == study.grid.slack, 1.0, 1e3))
    with pytest.raises(GridError, match="without load does not converge"):
        api.run(replace(study, units=far_apart), tmp_path / "outputs")
    too_wide = replace(study.jobs, nodes=study.jobs.nodes + 1000)
    with pytest.raises(ComputeError, match="wider than any site their origin may use"):
        api.run(replace(study, jobs=too_wide), tmp_path / "outputs")
    assert not list(tmp_path.iterdir())
