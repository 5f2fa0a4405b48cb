"""Policies by the name that a scenario gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridtwin.policies.asap import Asap
from gridtwin.policies.base import Policy, System
from gridtwin.policies.co_dispatch import CoDispatch
from gridtwin.policies.customer import Customer
from gridtwin.policies.work import work_shape
from gridtwin.scenario.schema import Scenario
from gridtwin.workload.jobs import JobTable

__all__ = ["POLICIES", "make_policy"]

Maker = Callable[[System, JobTable, Scenario], Policy]


def _asap(system: System, _jobs: JobTable, _scenario: Scenario) -> Policy:
    return Asap(system)


def _co_dispatch(system: System, jobs: JobTable, scenario: Scenario) -> CoDispatch:
    options = scenario.policies.co_dispatch
    return CoDispatch(
        system,
        work_shape(jobs, system.step_s),
        options.capacity_margin,
        coarse_after=scenario.time.window // system.step_s,
        coarse_steps=max(1, options.coarse_step // system.step_s),
    )


def _customer(system: System, jobs: JobTable, scenario: Scenario) -> Policy:
    return Customer(system, Asap(system), _co_dispatch(system, jobs, scenario))


POLICIES: Mapping[str, Maker] = {"asap": _asap, "co_dispatch": _co_dispatch, "customer": _customer}


def make_policy(system: System, jobs: JobTable, scenario: Scenario) -> Policy:
    """Return the policy that the scenario names, with its options."""
    return POLICIES[scenario.policy](system, jobs, scenario)
