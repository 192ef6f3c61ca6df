// Colours of the map in its two looks. Night is the first look; day is for a bright office.

export type Theme = "night" | "day";

export type Gradient = readonly (readonly [offset: number, colour: string])[];

export interface Palette {
  /** How glows mix with the ground: light adds up at night, ink covers by day. */
  glowMix: GlobalCompositeOperation;
  /** The light a lamp throws around it, from its middle outwards. */
  glow: Gradient;
  /** The bright part close to the lamp. */
  halo: Gradient;
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
      [0, "rgba(255, 168, 74, 0.46)"],
      [0.2, "rgba(255, 154, 62, 0.26)"],
      [0.48, "rgba(255, 134, 48, 0.1)"],
      [0.76, "rgba(255, 118, 36, 0.03)"],
      [1, "rgba(255, 110, 30, 0)"],
    ],
    halo: [
      [0, "rgba(255, 224, 158, 0.9)"],
      [0.38, "rgba(255, 196, 104, 0.5)"],
      [0.72, "rgba(255, 168, 70, 0.15)"],
      [1, "rgba(255, 150, 50, 0)"],
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
    label: "rgba(182, 202, 246, 0.84)",
    labelHalo: "rgba(5, 10, 26, 0.75)",
    selected: "#ffffff",
  },
  day: {
    glowMix: "source-over",
    glow: [
      [0, "rgba(255, 184, 48, 0.3)"],
      [0.5, "rgba(255, 192, 72, 0.11)"],
      [1, "rgba(255, 200, 100, 0)"],
    ],
    halo: [
      [0, "rgba(255, 186, 50, 0.55)"],
      [0.6, "rgba(255, 190, 70, 0.25)"],
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
