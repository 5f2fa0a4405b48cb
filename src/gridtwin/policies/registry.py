"""Policies by the name that a scenario gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridtwin.policies.asap import Asap
from gridtwin.policies.base import Policy, System
from gridtwin.policies.co_dispatch import CoDispatch
from gridtwin.policies.customer import Customer
from gridtwin.policies.feedback import Feedback
from gridtwin.policies.work import work_shape
from gridtwin.scenario.schema import Scenario
from gridtwin.workload.jobs import JobTable

__all__ = ["POLICIES", "make_policy"]

Maker = Callable[[System, JobTable, Scenario, Feedback | None], Policy]


def _asap(system: System, _jobs: JobTable, _scenario: Scenario, feedback: Feedback | None) -> Policy:
    return Asap(system, feedback)


def _co_dispatch(system: System, jobs: JobTable, scenario: Scenario, feedback: Feedback | None) -> CoDispatch:
    options = scenario.policies.co_dispatch
    return CoDispatch(
        system,
        work_shape(jobs, system.step_s),
        options.capacity_margin,
        coarse_after=scenario.time.window // system.step_s,
        coarse_steps=max(1, options.coarse_step // system.step_s),
        feedback=feedback,
    )


def _customer(system: System, jobs: JobTable, scenario: Scenario, feedback: Feedback | None) -> Policy:
    return Customer(system, Asap(system, feedback), _co_dispatch(system, jobs, scenario, feedback))


POLICIES: Mapping[str, Maker] = {"asap": _asap, "co_dispatch": _co_dispatch, "customer": _customer}


def make_policy(system: System, jobs: JobTable, scenario: Scenario, feedback: Feedback | None = None) -> Policy:
    """Return the policy that the scenario names, with its options; `feedback` lets AC review its plans."""
    return POLICIES[scenario.policy](system, jobs, scenario, feedback)
