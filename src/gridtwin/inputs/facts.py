"""What planners count by: people, hardware and Chinese names of a model folder."""

from __future__ import annotations

import numpy as np

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.inputs.network import indices
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.records import ModelFacts
from gridtwin.units import FloatArray

__all__ = ["model_facts"]


def model_facts(model: ModelFolder) -> ModelFacts:
    """Build the record of a model whose tables have no issues."""
    buses, sites, origins, nodes = (model.tables[name] for name in ("buses", "sites", "origins", "nodes"))
    links = model.tables.get("links")
    hardware = [load_hardware()[name] for name in nodes.text("hardware")]

    def figure(name: str) -> FloatArray:
        return np.array([getattr(unit, name) for unit in hardware], dtype=np.float64)

    return ModelFacts(
        unit_name=model.tables["units"].text("name"),
        unit_name_zh=model.tables["units"].text("name_zh"),
        link_name=links.text("name") if links else (),
        link_name_zh=links.text("name_zh") if links else (),
        bus_name_zh=buses.text("name_zh"),
        site_name_zh=sites.text("name_zh"),
        site_tier=sites.text("tier"),
        site_hub=sites.text("hub"),
        site_side=sites.text("side"),
        site_racks=numbers(sites, "racks"),
        site_pue_limit=numbers(sites, "pue_limit"),
        site_rack_use_min=numbers(sites, "rack_use_min"),
        origin=origins.text("origin"),
        origin_name_zh=origins.text("name_zh"),
        origin_region=origins.text("region"),
        origin_population=numbers(origins, "population"),
        origin_gdp=numbers(origins, "gdp"),
        node_site=indices(nodes.text("site"), sites.text("site")),
        node_class=indices(nodes.text("compute_class"), tuple(model.spec.compute.classes)),
        node_hardware=nodes.text("hardware"),
        node_precision=tuple(unit.precision for unit in hardware),
        nodes=numbers(nodes, "nodes").astype(np.int64),
        node_vintage=numbers(nodes, "vintage").astype(np.int64),
        node_peak_w=figure("peak_w"),
        node_fp64_tflops=figure("fp64_tflops"),
        node_fp32_tflops=figure("fp32_tflops"),
        node_fp16_tflops=figure("fp16_tflops"),
        node_int8_tops=figure("int8_tops"),
    )
