// What adds up over the lamp's life, its battery, and the node's cabinet: only what was told is shown.
import { h, need } from "../lib/dom";
import { celsius, hours, kilowattHours, percent, volts, watts } from "../lib/format";
import { t } from "../lib/i18n";
import type { Cabinet, PoleDetail } from "../lib/types";

type Row = [name: string, value: string];

export function showFacts({ due, counters, battery, cabinet }: PoleDetail): void {
  const rows: Row[] = [];
  if (due !== null) rows.push([t("lamp.due"), due ? t("lamp.due.yes") : t("lamp.due.no")]);
  if (counters !== null) {
    rows.push(
      [t("lamp.burning"), hours(counters.burning_s)],
      [t("lamp.energy"), kilowattHours(counters.energy_wh)],
      [t("lamp.switches"), t("lamp.switches.count", { count: counters.switches })],
      [t("lamp.supply_losses"), t("lamp.switches.count", { count: counters.supply_losses })],
    );
  }
  if (battery !== null) {
    const charge = battery.charge_share === null ? "" : ` · ${percent(battery.charge_share)}`;
    rows.push([t("lamp.battery"), `${volts(battery.battery_v, 1)}${charge}`]);
    if (battery.panel_w !== null) rows.push([t("lamp.panel"), watts(battery.panel_w)]);
  }
  if (cabinet !== null) rows.push(...cabinetRows(cabinet));
  need("lamp-facts").replaceChildren(
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ...(rows.length === 0 ? [h("div", { class: "quiet" }, t("lamp.none"))] : []),
  );
}

function cabinetRows({ temperature_c, door_open, supply_present, phases, lamps_w, unknown_poles }: Cabinet): Row[] {
  const rows: Row[] = [];
  if (supply_present !== null) {
    rows.push([t("cabinet.supply"), supply_present ? t("cabinet.supply.present") : t("cabinet.supply.lost")]);
  }
  if (door_open !== null) {
    rows.push([t("cabinet.door"), door_open ? t("cabinet.door.open") : t("cabinet.door.closed")]);
  }
  if (temperature_c !== null) rows.push([t("cabinet.temperature"), celsius(temperature_c)]);
  if (phases.length > 0) {
    rows.push([t("cabinet.phases"), phases.map((one) => `${watts(one.power_w)} / ${volts(one.voltage_v)}`).join(" · ")]);
  }
  if (lamps_w !== null || unknown_poles > 0) {
    const sum = watts(lamps_w);
    const value = unknown_poles > 0 ? t("cabinet.unknown", { watts: sum, count: unknown_poles }) : sum;
    rows.push([t("cabinet.lamps"), value]);
  }
  return rows;
}
