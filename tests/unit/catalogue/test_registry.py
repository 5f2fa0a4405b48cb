import pytest

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.pools import Pool
from gridtwin.catalogue.registry import Registry, Wanted, narrowed, searched
from gridtwin.errors import RegistryError

SHIPPED = Registry()


def pool(
    region: str, site: str, compute_class: str, unit: str, vintage: int, name_zh: str = "", tier: str = ""
) -> Pool:
    identifier = Identifier("CN", region, site, compute_class, unit, 1, 10)
    return Pool(identifier, load_hardware()[unit], vintage, name_zh=name_zh, tier=tier)


MODEL = Registry(
    model="national",
    pools=(
        pool("Gansu", "qingyang", "general", "kunpeng_block_40kw", 2021, "庆阳集群", "hub"),
        pool("Gansu", "qingyang", "intelligent", "ascend_block_40kw", 2023, "庆阳集群", "hub"),
        pool("Beijing", "edge_1", "edge", "edge_gpu_block_40kw", 2019, "北京边缘", "edge"),
    ),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [0, 1, 2]),
        (Wanted(region=("Gansu",)), [0, 1]),
        (Wanted(region=("Gansu",), compute_class=("general", "edge")), [0]),
        (Wanted(stack=("cuda", "cann")), [1, 2]),
        (Wanted(instruction_set=("aarch64",)), [0, 1]),
        (Wanted(vintage=("2019", "2022-2024")), [1, 2]),
        (Wanted(tier=("edge",)), [2]),
    ],
)
def test_pools_are_kept_that_have_all_that_is_wanted(wanted, found):
    assert narrowed(MODEL, wanted).pools == tuple(MODEL.pools[i] for i in found)


@pytest.mark.parametrize(
    ("wanted", "units", "systems"),
    [
        (Wanted(stack=("dtk",)), {"super_dcu_block_40kw"}, {"hygon_dcu_z100"}),
        (Wanted(instruction_set=("loongarch64",)), set(), {"loongson_3c5000"}),
        (
            Wanted(compute_class=("super",), vintage=("2017-2021",), stack=("athread", "matrix2000")),
            {"sunway_block_40kw", "tianhe_block_40kw"},
            {"sunway_sw26010_pro", "tianhe2a_node"},
        ),
    ],
)
def test_without_a_model_units_and_the_systems_behind_them(wanted, units, systems):
    found = narrowed(SHIPPED, wanted)
    assert (set(found.units), set(found.systems)) == (units, systems)


@pytest.mark.parametrize(
    ("registry", "wanted", "message"),
    [
        (MODEL, Wanted(region=("Gnasu",)), r"unknown region 'Gnasu' \(did you mean 'Gansu'\?\)"),
        (MODEL, Wanted(compute_class=("super",)), r"unknown class 'super' \(known: edge, general, intelligent\)"),
        (MODEL, Wanted(region=("Beijing",), stack=("cann",)), "nothing in the registry has all of that"),
        (MODEL, Wanted(vintage=("19-21",)), "vintage is '19-21'; expected a year or a span"),
        (
            Registry(model="m", pools=(pool("Gansu", "a", "general", "cpu_block_40kw", 2022),)),
            Wanted(tier=("edge",)),
            "tier is 'edge', but nothing here has a tier$",
        ),
        (SHIPPED, Wanted(tier=("edge",)), "tier is 'edge', but nothing here has a tier; give --model"),
    ],
)
def test_what_nothing_has_is_said(registry, wanted, message):
    with pytest.raises(RegistryError, match=message):
        narrowed(registry, wanted)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["庆阳"], [0, 1]),
        (["昇腾"], [1]),
        (["KUNPENG"], [0]),
        (["边缘算力"], [2]),
        (["北京", "nvidia", "2019"], [2]),
        (["CN-Gansu-qingyang/general"], [0]),
    ],
)
def test_words_in_either_language_find_pools(words, found):
    assert searched(MODEL, words).pools == tuple(MODEL.pools[i] for i in found)


def test_words_find_systems_and_units_without_a_model():
    found = searched(SHIPPED, ["寒武纪"])
    assert (set(found.systems), set(found.units)) == ({"cambricon_mlu370_x8"}, {"mlu_block_40kw"})


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nvdia"], r"\(did you mean 'nvidia'\?\)"),
        (["昇藤"], r"\(did you mean '昇腾'\?\)"),
        (["通用蒜力"], r"\(did you mean '通用算力'\?\)"),
        (["昇腾", "sunway"], "each word is somewhere, no entry has them all"),
        (["xyzzy"], "nothing is called 'xyzzy'$"),
        (["饕餮"], "nothing is called '饕餮'$"),
    ],
)
def test_words_that_find_nothing_give_a_hint(words, hint):
    with pytest.raises(RegistryError, match=hint):
        searched(SHIPPED, words)
