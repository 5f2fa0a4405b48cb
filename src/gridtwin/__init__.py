"""Compute-power co-dispatch digital twin: data-centre jobs and an AC power grid on one clock."""

__version__ = "0.1.0"
