"""The scripts' idea of the API and the API's own: every field a script reads is one that the API sends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from hub.api import (
    batch_schemas,
    incident_schemas,
    node_schemas,
    node_word_schemas,
    notice_schemas,
    schemas,
)

SOURCES = Path(__file__).parents[3] / "dashboards" / "web" / "frontend" / "src"
TYPES = (SOURCES / "lib" / "types.ts", SOURCES / "notices" / "types.ts", SOURCES / "commands" / "types.ts")
INTERFACE = re.compile(r"export interface (\w+)(?:<T>)?(?: extends (\w+))? \{\n(.*?)\n\}", re.DOTALL)
FIELD = re.compile(r"^  (\w+)\??:", re.MULTILINE)

SENT: dict[str, type[BaseModel]] = {
    "Camera": schemas.CameraOut,
    "Fault": schemas.FaultOut,
    "NodeEvent": node_word_schemas.NodeEventOut,
    "Counters": schemas.CountersOut,
    "Battery": schemas.BatteryOut,
    "Phase": schemas.PhaseOut,
    "Cabinet": schemas.CabinetOut,
    "DimmingStep": node_schemas.DimmingStepBoth,
    "LampProfile": node_schemas.LampProfileBoth,
    "NodeProfile": node_schemas.NodeProfileBoth,
    "ConfigVersion": node_schemas.ConfigVersionOut,
    "NodeConfig": node_schemas.NodeConfigOut,
    "BulkConfig": node_schemas.NodeConfigsOut,
    "PoleSummary": schemas.PoleSummary,
    "PoleDetail": schemas.PoleDetail,
    "PoleList": schemas.PoleList,
    "Incident": schemas.IncidentOut,
    "IncidentRow": incident_schemas.IncidentRow,
    "IncidentPage": incident_schemas.IncidentPage,
    "IncidentChange": incident_schemas.ChangeOut,
    "IncidentPlace": incident_schemas.PlaceOut,
    "IncidentDetail": incident_schemas.IncidentDetail,
    "MaintenanceWindow": incident_schemas.WindowOut,
    "Thresholds": incident_schemas.ThresholdsBoth,
    "IncidentRule": incident_schemas.RuleOut,
    "Funding": schemas.FundingSummary,
    "PoleFunding": schemas.FundingOut,
    "CommandReceipt": schemas.ReceiptOut,
    "Command": schemas.CommandOut,
    "Scope": batch_schemas.ScopeBoth,
    "LeftOut": batch_schemas.LeftOutOut,
    "Preview": batch_schemas.PreviewOut,
    "Batch": batch_schemas.BatchOut,
    "BatchList": batch_schemas.BatchList,
    "BatchResult": batch_schemas.ResultOut,
    "BatchDetail": batch_schemas.BatchDetail,
    "Cancelled": batch_schemas.CancelOut,
    "NodeState": schemas.NodeStateOut,
    "Series": schemas.TelemetryOut,
    "Summary": schemas.SummaryOut,
    "List": schemas.CommandList,
    "Channel": notice_schemas.ChannelOut,
    "Notifier": notice_schemas.NotifierOut,
    "RouteWish": notice_schemas.RouteIn,
    "Route": notice_schemas.RouteOut,
    "Notice": notice_schemas.NoticeOut,
    "Webhook": notice_schemas.WebhookOut,
    "NewSecret": notice_schemas.NewSecretOut,
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
