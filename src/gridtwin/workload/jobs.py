"""Jobs as a struct of arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gridtwin.records import QueueAxes
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["JobTable"]


@dataclass(frozen=True, slots=True, eq=False)
class JobTable:
    """All jobs of a run in order of submission; ties keep the order of the streams they came from.

    Times are whole seconds after the start of the run. A job takes `nodes` nodes of its class at one site for
    `runtime_s` and is late when it ends after `due_s` = submit + runtime + allowed delay.
    """

    axes: QueueAxes
    job: IntArray  # (job,) identifier, unique
    submit_s: IntArray  # (job,)
    runtime_s: IntArray  # (job,) > 0, known when it has ended
    nodes: IntArray  # (job,) > 0
    due_s: IntArray  # (job,)
    origin: IntArray  # (job,) index into axes.origin
    compute_class: IntArray  # (job,) index into axes.compute_class
    delay_class: IntArray  # (job,) index into axes.delay_class
    data_gb: FloatArray  # (job,) input to move to the site
    preemptible: BoolArray  # (job,) may be suspended and resumed
    migratable: BoolArray  # (job,) may be resumed at another site
    checkpoint_s: IntArray  # (job,) time that its nodes need to save its state when it is suspended
    restart_s: IntArray  # (job,) time that they need to load it again
    checkpoint_gb: FloatArray  # (job,) state to move when it is resumed at another site
    estimate_s: IntArray  # (job,) > 0, the runtime that is believed until then; all that a scheduler goes by

    def __len__(self) -> int:
        return len(self.job)

    def take(self, row: IntArray) -> JobTable:
        """Return the table of the jobs in `row`, in that order."""
        return JobTable(self.axes, *(getattr(self, field.name)[row] for field in fields(self)[1:]))

    @property
    def latest_start_s(self) -> IntArray:
        """Last second at which a job can start and still be on time, if it runs as long as estimated."""
        return self.due_s - self.estimate_s

    @property
    def duration_bin(self) -> IntArray:
        """Index of the first bin whose upper runtime the estimate does not exceed."""
        return np.searchsorted(np.asarray(self.axes.bin_upper_s), self.estimate_s).astype(np.int64)

    @property
    def queue(self) -> IntArray:
        """Flat index over (origin, class, delay class, duration bin)."""
        index = (self.origin, self.compute_class, self.delay_class, self.duration_bin)
        return np.ravel_multi_index(index, self.axes.shape).astype(np.int64)
