import pytest

from gridtwin.catalogue.identifiers import Identifier
from gridtwin.errors import RegistryError

POOL = Identifier("CN", "InnerMongolia", "horinger-1", "intelligent", "ascend_block_40kw", 1, 250)


def test_it_reads_as_the_standard_says():
    assert str(POOL) == "CN-InnerMongolia-horinger-1/intelligent/ascend_block_40kw#1-#250"
    one = Identifier.parse("CN-InnerMongolia-horinger-1/intelligent/ascend_block_40kw#17")
    assert (one.region, one.site, one.first, one.last, one.count) == ("InnerMongolia", "horinger-1", 17, 17, 1)
    assert POOL.count == 250


@pytest.mark.parametrize(
    ("region", "site", "text"),
    [
        ("内蒙古", "和林格尔 一期", "CN-内蒙古-和林格尔+一期/general/u#1"),
        ("", "a", "CN--a/general/u#1"),
        ("A-B", "c/d#e~f+g", "CN-A~2DB-c~2Fd~23e~7Ef~2Bg/general/u#1"),
    ],
)
def test_names_of_any_kind_come_back(region, site, text):
    identifier = Identifier("CN", region, site, "general", "u", 1, 1)
    assert str(identifier) == text
    assert Identifier.parse(text) == identifier


def test_a_range_holds_its_machines_and_no_others():
    assert Identifier.parse("CN-InnerMongolia-horinger-1/intelligent/ascend_block_40kw#250") in POOL
    assert Identifier.parse("CN-InnerMongolia-horinger-1/intelligent/ascend_block_40kw#200-#251") not in POOL
    assert Identifier.parse("CN-InnerMongolia-horinger-2/intelligent/ascend_block_40kw#1") not in POOL


@pytest.mark.parametrize(
    "text",
    [
        "CN-Gansu-a/general",
        "CN-Gansu-a/general/u",
        "CN-Gansu-a/general/u#0",
        "CN-Gansu-a/general/u#01",
        "CN-Gansu-a/general/u#5-#5",
        "CN-Gansu-a/general/u#5-#4",
        "CN-Gansu-a/general/u#5-7",
        "cn-Gansu-a/general/u#5",
        "CN-Gansu-/general/u#5",
        "CN-Gansu-a b/general/u#5",
        "CN-Gansu-~41/general/u#5",
        "CN-Gansu-~FF/general/u#5",
        "CN-Gansu-a/general/u#5\n",
    ],
)
def test_what_is_written_otherwise_is_refused(text):
    with pytest.raises(RegistryError, match="is no identifier; expected <country>-<region>-<site>/<class>/<unit>#<n>"):
        Identifier.parse(text)
