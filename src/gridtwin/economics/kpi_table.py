"""The indicators of a run: unit and a name for people, in English and Chinese."""

# ruff: noqa: RUF001 - Chinese has commas and brackets of its own
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["KPIS", "Kpi"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One indicator."""

    label: str
    unit: str  # {currency} stands for the model's ISO code
    label_zh: str = ""


KPIS: Mapping[str, Kpi] = {
    "energy_mwh": Kpi("energy at the sites' meters", "MWh", "数据中心用电量（电表侧）"),
    "it_energy_mwh": Kpi("energy of the computing equipment", "MWh", "IT 设备用电量"),
    "completed_node_s": Kpi("work completed", "node-s", "完成的算力工作量"),
    "system_cost": Kpi("production cost, carbon excluded", "{currency}", "发电成本（不含碳成本）"),
    "carbon_cost": Kpi("carbon cost", "{currency}", "碳成本"),
    "co2_t": Kpi("direct CO2 of all generation", "t", "全部发电的直接 CO2 排放"),
    "electricity_cost": Kpi("what the sites pay by their tariff", "{currency}", "数据中心电费（按电价套餐）"),
    "expected_electricity_cost": Kpi("what they expected to pay when they planned", "{currency}", "计划时预计的电费"),
    "supply_cost": Kpi("price of green energy claimed under contract", "{currency}", "绿电合同费用"),
    "direct_saved_cost": Kpi(
        "energy from behind the meter at the tariff, not paid to the grid", "{currency}", "绿电直连节省的购电费"
    ),
    "labour_cost": Kpi("labour at the sites, by racks in use", "{currency}", "运维人工成本（按在用机架）"),
    "green_share_annual": Kpi("green share of the sites' energy, over the run", "", "绿电占比（全时段电量匹配）"),
    "green_share_hourly": Kpi("green share, matched hour by hour (CFE)", "", "绿电占比（逐时匹配，CFE）"),
    "location_based_co2_t": Kpi("CO2 of the sites by the mix they draw from", "t", "数据中心碳排放（基于位置）"),
    "market_based_co2_t": Kpi("CO2 of the sites by contracts and residual mix", "t", "数据中心碳排放（基于市场）"),
    "curtailment_mwh": Kpi("renewable energy curtailed", "MWh", "弃风弃光电量"),
    "store_spill_mwh": Kpi("inflow that found no room in its store", "MWh", "储能无法容纳的来水（来能）"),
    "stored_change_mwh": Kpi(
        "energy in stores, end less start, at the bus", "MWh", "储能电量变化（期末减期初，母线侧）"
    ),
    "stock_change_cost": Kpi(
        "energy taken from stores, start less end, at the mean price of its bus",
        "{currency}",
        "取用储能电量的价值（期初减期末，按所在母线平均电价）",
    ),
    "renewable_share": Kpi("renewable share of generation", "", "绿电占比（可再生能源发电）"),
    "unserved_mwh": Kpi("load not served", "MWh", "切负荷电量"),
    "overload_mwh": Kpi("flow beyond ratings, as dispatched", "MWh", "调度中超出线路限额的电量"),
    "spill_mwh": Kpi("surplus dumped", "MWh", "弃电量（系统过剩）"),
    "unserved_service_node_h": Kpi("service capacity not served", "node-h", "未满足的在线服务容量"),
    "jobs_submitted": Kpi("jobs submitted", "", "提交作业数"),
    "jobs_completed": Kpi("jobs completed", "", "完成作业数"),
    "jobs_unfinished": Kpi("jobs not ended with the run", "", "运行结束时未完成作业数"),
    "jobs_late": Kpi("jobs late, those not ended included", "", "逾期作业数（含未完成）"),
    "jobs_suspended": Kpi("suspensions of jobs", "", "作业挂起次数"),
    "jobs_migrated": Kpi("resumptions at another site", "", "跨站点恢复（迁移）次数"),
    "checkpoint_node_h": Kpi("nodes busy saving states", "node-h", "保存检查点占用的节点时"),
    "restart_node_h": Kpi("nodes busy loading them again", "node-h", "重启恢复占用的节点时"),
    "wait_p50_s": Kpi("wait, median", "s", "等待时间中位数"),
    "wait_p95_s": Kpi("wait, 95th percentile", "s", "等待时间 95 分位数"),
    "fluid_gap_mwh": Kpi("plan against execution, absolute", "MWh", "计划与执行之差（绝对值）"),
    "overrun_mwh": Kpi("execution beyond plan", "MWh", "执行超出计划的电量"),
    "forecast_load_mae_mw": Kpi("error of the load forecast, mean of absolutes", "MW", "负荷预测平均绝对误差"),
    "forecast_load_bias_mw": Kpi("load forecast above what came", "MW", "负荷预测偏差（预测减实际）"),
    "forecast_available_mae_mw": Kpi(
        "error of the forecast of all weather-led output, mean of absolutes", "MW", "新能源出力预测平均绝对误差"
    ),
    "forecast_available_bias_mw": Kpi("that forecast above what came", "MW", "新能源出力预测偏差（预测减实际）"),
    "wan_gb": Kpi("data moved", "GB", "广域网数据传输量"),
    "migrated_gb": Kpi("saved states moved, part of the data moved", "GB", "其中迁移的检查点数据"),
    "wan_cost": Kpi("cost of moving data", "{currency}", "数据传输成本"),
    "corridor_rent_cost": Kpi("rent of all links between the prices at their ends", "{currency}", "全部通道的阻塞盈余"),
    "corridor_full_h": Kpi("hours at their limit, of all links", "h", "全部通道达到限额的小时数"),
    "deviation_mwh": Kpi("energy off the contracts of links, absolute", "MWh", "偏离通道合同的电量（绝对值）"),
    "max_line_loading_percent": Kpi("fullest line (AC, apparent power)", "%", "最高线路负载率（交流，视在功率）"),
    "min_vm_pu": Kpi("lowest voltage", "pu", "最低电压"),
    "max_vm_pu": Kpi("highest voltage", "pu", "最高电压"),
    "ac_steps_not_converged": Kpi("AC steps not converged", "", "交流潮流未收敛时步数"),
}
