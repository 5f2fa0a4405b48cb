"""Policies: an observation in, a dispatch plan out."""

from gridtwin.policies.base import Forecast, GridMemory, Observation, Policy, PowerFlow, System
from gridtwin.policies.registry import make_policy

__all__ = ["Forecast", "GridMemory", "Observation", "Policy", "PowerFlow", "System", "make_policy"]
