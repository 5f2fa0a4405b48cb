import pytest

from gridtwin.catalogue.requirements import INSTRUCTION_SETS, STACKS
from gridtwin.catalogue.systems import SHIPPED_SYSTEMS, load_systems
from gridtwin.errors import InputError

SYSTEMS = load_systems()


def test_there_are_processors_and_accelerators_of_many_makers():
    assert len(SYSTEMS) >= 14
    assert {system.kind for system in SYSTEMS.values()} == {"cpu", "gpu", "npu", "server"}
    assert len({system.vendor for system in SYSTEMS.values()}) >= 12
    assert {system.instruction_set for system in SYSTEMS.values()} <= set(INSTRUCTION_SETS)
    assert {system.stack for system in SYSTEMS.values()} <= set(STACKS)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_every_figure_is_published_or_called_an_estimate(system):
    assert system.source
    assert system.name_zh
    assert {"idle_w", "host_w"} <= set(system.estimates), "nobody publishes these"
    assert 0 < system.idle_w < system.peak_w
    assert 2005 < system.vintage < 2027
    assert list(system.speeds.values()) == sorted(system.speeds.values()), "fewer bits are not slower"
    assert 0 < system.per_standard_rack < 25


def test_what_was_never_published_is_an_estimate_or_empty():
    ascend = SYSTEMS["huawei_ascend_910b"]
    assert set(ascend.speeds) <= set(ascend.estimates)
    assert "fp64_tflops" not in ascend.speeds
    assert not set(SYSTEMS["nvidia_h100_sxm"].speeds) & set(SYSTEMS["nvidia_h100_sxm"].estimates)


def test_a_standard_rack_is_two_and_a_half_kilowatts():
    fugaku = SYSTEMS["fujitsu_a64fx"]
    assert fugaku.per_standard_rack == pytest.approx(2500 / 188)
    h100 = SYSTEMS["nvidia_h100_sxm"]
    assert h100.per_standard_rack * (h100.peak_w + h100.host_w) == pytest.approx(2500)


def test_a_table_of_ones_own_is_checked(tmp_path):
    path = tmp_path / "systems.csv"
    text = SHIPPED_SYSTEMS.read_text(encoding="utf-8")
    path.write_text(text.replace(",gpu,", ",card,", 1).replace("idle_w;host_w", "idle;host_w", 1), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load_systems(path)
    messages = [issue.message for issue in raised.value.issues]
    assert messages[0].startswith("unknown field 'idle'; expected some of vintage, idle_w")
    assert messages[1].startswith("unknown kind of system 'card'")
