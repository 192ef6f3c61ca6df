"""The scripts' idea of the API and the API's own: every field a script reads is one that the API sends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from hub.api import schemas
from hub.api.schemas import batches, incidents, node_words, nodes, notices

SOURCES = Path(__file__).parents[3] / "dashboards" / "web" / "frontend" / "src"
TYPES = (SOURCES / "lib" / "types.ts", SOURCES / "notices" / "types.ts", SOURCES / "commands" / "types.ts")
INTERFACE = re.compile(r"export interface (\w+)(?:<T>)?(?: extends (\w+))? \{\n(.*?)\n\}", re.DOTALL)
FIELD = re.compile(r"^  (\w+)\??:", re.MULTILINE)

SENT: dict[str, type[BaseModel]] = {
    "Camera": schemas.CameraOut,
    "Fault": schemas.FaultOut,
    "NodeEvent": node_words.NodeEventOut,
    "Counters": schemas.CountersOut,
    "Battery": schemas.BatteryOut,
    "Phase": schemas.PhaseOut,
    "Cabinet": schemas.CabinetOut,
    "DimmingStep": nodes.DimmingStepBoth,
    "LampProfile": nodes.LampProfileBoth,
    "NodeProfile": nodes.NodeProfileBoth,
    "ConfigVersion": nodes.ConfigVersionOut,
    "NodeConfig": nodes.NodeConfigOut,
    "BulkConfig": nodes.NodeConfigsOut,
    "PoleSummary": schemas.PoleSummary,
    "PoleDetail": schemas.PoleDetail,
    "PoleList": schemas.PoleList,
    "Incident": schemas.IncidentOut,
    "IncidentRow": incidents.IncidentRow,
    "IncidentPage": incidents.IncidentPage,
    "IncidentChange": incidents.ChangeOut,
    "IncidentPlace": incidents.PlaceOut,
    "IncidentDetail": incidents.IncidentDetail,
    "MaintenanceWindow": incidents.WindowOut,
    "Thresholds": incidents.ThresholdsBoth,
    "IncidentRule": incidents.RuleOut,
    "Funding": schemas.FundingSummary,
    "PoleFunding": schemas.FundingOut,
    "CommandReceipt": schemas.ReceiptOut,
    "Command": schemas.CommandOut,
    "Scope": batches.ScopeBoth,
    "LeftOut": batches.LeftOutOut,
    "Preview": batches.PreviewOut,
    "Batch": batches.BatchOut,
    "BatchList": batches.BatchList,
    "BatchResult": batches.ResultOut,
    "BatchDetail": batches.BatchDetail,
    "Cancelled": batches.CancelOut,
    "NodeState": schemas.NodeStateOut,
    "Series": schemas.TelemetryOut,
    "Summary": schemas.SummaryOut,
    "List": schemas.CommandList,
    "Channel": notices.ChannelOut,
    "Notifier": notices.NotifierOut,
    "RouteWish": notices.RouteIn,
    "Route": notices.RouteOut,
    "Notice": notices.NoticeOut,
    "Webhook": notices.WebhookOut,
    "NewSecret": notices.NewSecretOut,
}


def _interfaces() -> dict[str, set[str]]:
    found = INTERFACE.findall("\n".join(path.read_text("utf-8") for path in TYPES))
    return {name: set(FIELD.findall(body)) for name, _, body in found}


def test_every_interface_is_held_against_a_model() -> None:
    assert set(_interfaces()) - {"Problem"} == set(SENT)


@pytest.mark.parametrize("name", SENT)
def test_every_field_is_sent(name: str) -> None:
    assert _interfaces()[name] <= set(SENT[name].model_fields)


def test_problem_has_the_one_error_shape() -> None:
    from hub.api.problems import ProblemBody

    assert _interfaces()["Problem"] <= set(ProblemBody.model_fields)
