import shutil
from pathlib import Path

import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.resources import read_pools

MODELS = Path(__file__).parents[3] / "models"


def test_a_shipped_model_by_name():
    pools = read_pools("rts_gmlc")
    assert str(pools[0].identifier) == "US-area1-dc_110/intelligent/training_block_40kw#1-#650"
    assert len(pools) == 18
    assert pools[0].vintage == 2022
    assert {pool.identifier.region for pool in pools} == {"area1", "area2", "area3"}


@pytest.fixture
def model(tmp_path):
    """Return a copy of the starter with regions, vintages and a variant."""
    folder = tmp_path / "mine"
    shutil.copytree(MODELS / "starter", folder)
    sites = (folder / "sites.csv").read_text().splitlines()
    regions = ("region", "Hebei", "")
    (folder / "sites.csv").write_text(
        "\n".join(f"{line},{region}" for line, region in zip(sites, regions, strict=True))
    )
    nodes = (folder / "nodes.csv").read_text().splitlines()
    vintages = ("vintage", *["2020"] * (len(nodes) - 1))
    dated = "\n".join(f"{line},{year}" for line, year in zip(nodes, vintages, strict=True))
    (folder / "nodes.csv").write_text(dated)
    (folder / "nodes_2030.csv").write_text(dated.replace(",600,", ",900,").replace(",200,", ",0,"))
    with (folder / "model.yaml").open("a") as stream:
        stream.write("\ncountry: CN\nvariants:\n  '2030': {compute: {nodes: nodes_2030.csv}}\n")
    return folder


def test_the_region_is_that_of_the_site_or_the_area_of_its_bus(model):
    pools = read_pools(str(model))
    assert {str(pool.identifier).split("/")[0] for pool in pools} == {"CN-Hebei-east_dc", "CN-west-west_dc"}
    assert {pool.vintage for pool in pools} == {2020}


def test_a_variant_has_other_counts_and_the_same_identifiers(model):
    base, later = read_pools(str(model)), read_pools(str(model), ["2030"])
    assert len(later) == len(base) - 1, "a pool without machines is none"
    assert {pool.identifier.pool for pool in later} < {pool.identifier.pool for pool in base}
    assert max(pool.identifier.count for pool in later) == 900


def test_what_cannot_be_read_is_said(model):
    with pytest.raises(InputError, match=r"no shipped model of that name \(did you mean 'starter'\?\)"):
        read_pools("startr")
    with pytest.raises(InputError, match=r"no variant '2031' \(did you mean '2030'\?\)"):
        read_pools(str(model), ["2031"])
    nodes = (model / "nodes.csv").read_text()
    (model / "nodes.csv").write_text(nodes.replace("cpu_block_40kw", "cpu_blok_40kw", 1))
    with pytest.raises(InputError, match=r"nodes.csv:2:.*unknown hardware 'cpu_blok_40kw' \(did you mean 'cpu_block"):
        read_pools(str(model))
