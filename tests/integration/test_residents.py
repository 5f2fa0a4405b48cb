"""Whole runs with work that may not go everywhere: it never does, whatever the policy, and all ledgers hold."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from gridtwin import api
from gridtwin.audit import close_ledgers
from gridtwin.inputs.load import load_study
from gridtwin.results.store import JOB_START

TESTS = Path(__file__).parents[1]
OVERRIDES = (
    "workload.batch.0.resident_share=0.5",
    "workload.batch.1.resident_share=0.5",
    "workload.batch.1.requires.stack=[cuda]",
    "workload.services.0.tiers=[edge, hub]",
    "workload.services.0.resident_share=0.5",
    "workload.services.0.gb_per_request=0.0001",
    "workload.services.0.max_latency_oneway_ms=20",
    "workload.batch.0.bursts=[{name: launch, start: 2020-01-02T12:00:00+00:00, duration: 6h, factor: 2}]",
    "time.duration=24h",
)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory) -> Path:
    """The pocket study; coast and east in one region, plain and west in another, west with two kinds of machines."""
    root = tmp_path_factory.mktemp("residents")
    for part in ("models", "scenarios"):
        shutil.copytree(TESTS / part, root / part)
    model = root / "models/pocket"
    (model / "origins.csv").write_text("origin,region\ncoast,A\nplain,B\n")
    (model / "sites.csv").write_text(
        "site,bus,station,cooling,power_factor,connection_mw,region,tier,pue\n"
        "east,b,town,evaporative,0.98,,A,edge,1.3\nwest,c,town,free_air,0.95,12,B,hub,\n"
    )
    text = (model / "model.yaml").read_text()
    (model / "model.yaml").write_text(text.replace("max_latency_oneway_ms: 5", "max_latency_oneway_ms: 20"))
    return root / "scenarios/pocket.yaml"


@pytest.mark.parametrize("policy", ["asap", "co_dispatch"])
def test_residents_never_leave(scenario, read_stored, tmp_path, policy):
    study = load_study(scenario, [f"policy={policy}", *OVERRIDES])
    axes = study.fleet.axes
    assert axes.origin[:4] == ("coast", "coast/resident", "coast/cuda", "coast/cuda/resident")
    assert axes.link_origin.tolist() == [0] * 4 + [4] * 4
    api.run(study, tmp_path)
    (folder,) = tmp_path.iterdir()
    run = read_stored(folder)
    assert all(ledger.passed for ledger in close_ledgers(run)), close_ledgers(run)
    starts, jobs = run.events[JOB_START], run.jobs
    origin = jobs["origin_index"][starts["row"]]
    resident = np.array([name.endswith("/resident") for name in axes.origin])
    home = axes.link_origin // 4  # coast has east, plain west
    assert resident[origin].sum() > 50
    assert (starts["site_index"] == home[origin])[resident[origin]].all()
    assert (starts["site_index"] != home[origin])[~resident[origin]].any()
    assert (jobs["end_s"] > 0).all()
    away = np.arange(2)[None] != home[:, None]
    assert (run.variables["moved_gb"].sum(axis=0)[resident[:, None] & away] == 0).all()
    requests = run.inputs["requests"]
    plain = (requests["window"] < len(run.variables["objective"])) & (requests["origin_index"] == 4)
    asked_per_s = study.scenario.workload.services[0].requests_per_s["plain"]
    assert requests["gb"][plain].sum() == pytest.approx(asked_per_s * 0.0001 * len(run.time) * 3600)
