import pytest

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.requirements import Requirement
from gridtwin.catalogue.systems import load_systems

HARDWARE = load_hardware()


@pytest.mark.parametrize(
    ("instruction_set", "stack", "runs_on", "not_on"),
    [
        ((), (), ["cpu_block_40kw", "ascend_block_40kw", "sunway_block_40kw"], []),
        (("x86_64",), (), ["cpu_block_40kw", "a100_block_40kw"], ["kunpeng_block_40kw", "ascend_block_40kw"]),
        ((), ("cuda",), ["a100_block_40kw", "h20_block_40kw"], ["ascend_block_40kw", "cpu_block_40kw"]),
        ((), ("cuda", "cann"), ["a100_block_40kw", "ascend_block_40kw"], ["mlu_block_40kw"]),
        (("x86_64",), ("cann",), [], ["ascend_block_40kw", "a100_block_40kw"]),
    ],
)
def test_a_job_runs_where_both_fit(instruction_set, stack, runs_on, not_on):
    requirement = Requirement(frozenset(instruction_set), frozenset(stack))
    assert all(requirement.accepts(HARDWARE[name]) for name in runs_on)
    assert not any(requirement.accepts(HARDWARE[name]) for name in not_on)


def test_systems_are_judged_as_node_units_are():
    assert Requirement(stack=frozenset({"dtk"})).accepts(load_systems()["hygon_dcu_z100"])
