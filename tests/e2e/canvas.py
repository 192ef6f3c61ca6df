"""Reading the map's canvases: what is drawn there, not what the code meant to draw."""

from __future__ import annotations

from playwright.sync_api import Page

# Read from a copy: a canvas that is read often is taken off the graphics card, and the browser warns of it.
_READ = """
  const read = (sheet) => {
    const copy = new OffscreenCanvas(sheet.width, sheet.height);
    const pen = copy.getContext('2d', { willReadFrequently: true });
    pen.drawImage(sheet, 0, 0);
    return pen.getImageData(0, 0, sheet.width, sheet.height).data;
  };
"""

_WARM = f"""() => {{ {_READ}
  const data = read(document.querySelector('#map canvas'));
  let warm = 0;
  for (let at = 0; at < data.length; at += 4) {{
    if (data[at] > 230 && data[at + 1] > 150 && data[at + 3] > 150 && data[at + 2] < data[at]) warm += 1;
  }}
  return warm / (data.length / 4);
}}"""

_RING = f"""() => {{ {_READ}
  const sheet = document.querySelectorAll('#map canvas')[1];
  const data = read(sheet);
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let at = 0; at < data.length; at += 4) {{
    if (data[at] < 250 || data[at + 1] < 250 || data[at + 2] < 250 || data[at + 3] < 200) continue;
    const [x, y] = [(at / 4) % sheet.width, Math.floor(at / 4 / sheet.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }}
  const scale = sheet.width / sheet.getBoundingClientRect().width;
  const frame = document.querySelector('#map').getBoundingClientRect();
  const place = sheet.getBoundingClientRect();
  const [x, y] = [(left + right) / 2 / scale, (top + bottom) / 2 / scale];
  return [x + place.left - frame.left, y + place.top - frame.top];
}}"""


def bright_warm_share(page: Page) -> float:
    """The share of the map's pixels that shine warm."""
    share: float = page.evaluate(_WARM)
    return share


def ring_centre(page: Page) -> tuple[float, float]:
    """Where the white ring around the picked lamp stands, in pixels from the map's upper left corner."""
    x, y = page.evaluate(_RING)
    return x, y
