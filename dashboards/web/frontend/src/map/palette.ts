// Colours of the map in its two looks. Night is the first look; day is for a bright office.

export type Theme = "night" | "day";

export interface Palette {
  /** How glows mix with the ground: light adds up at night, ink covers by day. */
  glowMix: GlobalCompositeOperation;
  glow: readonly [offset: number, colour: string][];
  core: string;
  coreEdge: string | null;
  dark: string;
  darkGround: string;
  off: string;
  unknown: string;
  onByDay: string;
  onByDayEdge: string;
  feeder: string;
  feederLit: string;
  grid: string;
  label: string;
  labelHalo: string;
  selected: string;
}

export const PALETTES: Record<Theme, Palette> = {
  night: {
    glowMix: "lighter",
    glow: [
      [0, "rgba(255, 226, 160, 0.95)"],
      [0.07, "rgba(255, 205, 120, 0.75)"],
      [0.18, "rgba(255, 170, 76, 0.34)"],
      [0.42, "rgba(255, 140, 52, 0.12)"],
      [0.72, "rgba(255, 118, 36, 0.035)"],
      [1, "rgba(255, 110, 30, 0)"],
    ],
    core: "#fff4d8",
    coreEdge: null,
    dark: "#ff5f6d",
    darkGround: "rgba(20, 6, 18, 0.72)",
    off: "#6d82b8",
    unknown: "#98a4bf",
    onByDay: "#ffb02e",
    onByDayEdge: "#3a2500",
    feeder: "rgba(120, 152, 226, 0.30)",
    feederLit: "rgba(255, 186, 104, 0.30)",
    grid: "rgba(140, 170, 240, 0.13)",
    label: "rgba(170, 192, 240, 0.62)",
    labelHalo: "rgba(5, 10, 26, 0.75)",
    selected: "#ffffff",
  },
  day: {
    glowMix: "source-over",
    glow: [
      [0, "rgba(255, 176, 32, 0.55)"],
      [0.35, "rgba(255, 186, 60, 0.26)"],
      [0.7, "rgba(255, 196, 90, 0.08)"],
      [1, "rgba(255, 200, 100, 0)"],
    ],
    core: "#f7a400",
    coreEdge: "#7a4a00",
    dark: "#c4162a",
    darkGround: "rgba(255, 255, 255, 0.9)",
    off: "#66789c",
    unknown: "#6f7a8e",
    onByDay: "#e08a00",
    onByDayEdge: "#5c3500",
    feeder: "rgba(60, 86, 140, 0.34)",
    feederLit: "rgba(190, 120, 10, 0.48)",
    grid: "rgba(50, 80, 140, 0.16)",
    label: "rgba(44, 60, 96, 0.82)",
    labelHalo: "rgba(236, 241, 248, 0.9)",
    selected: "#0b3d91",
  },
};

export function currentTheme(): Theme {
  return document.documentElement.dataset["theme"] === "day" ? "day" : "night";
}
