// While a finger or a mouse button is down, nothing may be drawn anew under it: the button that was pressed would
// be gone when it is let go, and the click with it.

/** A tap's click comes a moment after the finger has left. */
const CLICK_WITHIN_MS = 100;

const waiting: (() => void)[] = [];
let pressed = false;

/** Draw now, or once nothing is pressed any more; in the order of the calls. */
export function whenReleased(draw: () => void): void {
  if (pressed || waiting.length > 0) waiting.push(draw);
  else draw();
}

function release(): void {
  pressed = false;
  window.setTimeout(() => {
    while (!pressed && waiting.length > 0) waiting.shift()?.();
  }, CLICK_WITHIN_MS);
}

window.addEventListener("pointerdown", () => { pressed = true; }, { capture: true });
for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, release, { capture: true });
document.addEventListener("visibilitychange", release);
