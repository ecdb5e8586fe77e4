// SPDX-License-Identifier: Apache-2.0
// The live view: draws twice a second and at every key, and gives the terminal back whatever
// happens.

import { harmless } from "../terminal/cell_text.ts";
import type { Paint } from "../terminal/style.ts";
import { type Key, keysIn } from "./keys.ts";
import { layOut } from "./layout.ts";
import type { LiveData } from "./live_data.ts";
import { Screen } from "./screen.ts";
import { afterKey, FIRST_STATE, type Shown, type ViewState } from "./view_state.ts";

export interface LiveViewOptions {
  /** What there is to show now. */
  readonly collect: () => LiveData;
  /** The lines of a trace by the id of its root, null when it is no longer at hand. */
  readonly waterfall: (id: string, columns: number, paint: Paint) => readonly string[] | null;
  /** The lines of the dataflow graph. */
  readonly graph: () => readonly string[];
  readonly paint: Paint;
  /** The user wants to leave. */
  readonly quit: () => void;
}

const REDRAW_MS = 500;
/** Below so many events a second every other picture is left out: an idle host costs nothing. */
const QUIET_EVENTS_PER_S = 100;

/** Takes the terminal over until it is disposed of. */
export function openLiveView(options: LiveViewOptions): Disposable {
  const screen = new Screen(writeToTerminal);
  let state: ViewState = FIRST_STATE;
  let shown: Shown = { ids: [], pageRows: 1, scrollMax: 0, columns: 1 };
  let data = options.collect();

  const draw = () => {
    const size = Deno.consoleSize();
    const picture = layOut(state, data, size, options.paint, {
      waterfall: (id, columns) => options.waterfall(id, columns, options.paint),
      graph: options.graph,
    });
    shown = picture.shown;
    screen.draw(picture.lines, size);
  };
  let ticks = 0;
  const refresh = () => {
    if (++ticks % 2 === 0 && data.vitals.eventsPerS < QUIET_EVENTS_PER_S) return;
    if (!state.isPaused) data = options.collect();
    draw();
  };
  const take = (key: Key) => {
    state = afterKey(state, key, shown);
    if (state.isQuitting) options.quit();
    draw();
  };
  const keyboard = listenToKeys(take);
  const timer = setInterval(refresh, REDRAW_MS);
  const restore = () => {
    screen[Symbol.dispose]();
    keyboard[Symbol.dispose]();
  };
  const lastEvents = ["unload", "error", "unhandledrejection"] as const;
  for (const event of lastEvents) globalThis.addEventListener(event, restore);
  Deno.addSignalListener("SIGWINCH", draw);
  draw();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      Deno.removeSignalListener("SIGWINCH", draw);
      for (const event of lastEvents) globalThis.removeEventListener(event, restore);
      restore();
    },
  };
}

/** Raw keys of standard input; interrupts still come as signals. */
function listenToKeys(take: (key: Key) => void): Disposable {
  if (!Deno.stdin.isTerminal()) return { [Symbol.dispose]() {} };
  Deno.stdin.setRaw(true, { cbreak: true });
  let isOpen = true;
  const read = async () => {
    const bytes = new Uint8Array(256);
    while (isOpen) {
      const length = await Deno.stdin.read(bytes);
      if (length === null) return;
      for (const key of isOpen ? keysIn(bytes.subarray(0, length)) : []) take(key);
    }
  };
  read().catch(() => {
    // The terminal has gone away; the signal that says so ends the program.
  });
  return {
    [Symbol.dispose]() {
      if (isOpen) Deno.stdin.setRaw(false);
      isOpen = false;
    },
  };
}

function writeToTerminal(text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** A terminal that was closed takes no more text; that is no reason to lose spans. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    /input\/output error/i.test(harmless(String(error)));
}
