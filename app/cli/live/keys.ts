// SPDX-License-Identifier: Apache-2.0
// Bytes that a terminal sends, as keys.

/** A named key, or the character that was typed. */
export type Key =
  | { readonly kind: "named"; readonly name: NamedKey }
  | { readonly kind: "character"; readonly character: string };

export type NamedKey =
  | "up"
  | "down"
  | "left"
  | "right"
  | "page_up"
  | "page_down"
  | "home"
  | "end"
  | "enter"
  | "escape"
  | "tab"
  | "back_tab"
  | "backspace";

/** All keys in what one read returned. Unknown sequences and control characters are passed over. */
export function keysIn(bytes: Uint8Array): Key[] {
  const keys: Key[] = [];
  let rest = new TextDecoder().decode(bytes);
  while (rest !== "") {
    const sequence = ESCAPE_SEQUENCE.exec(rest)?.[0] ?? [...rest][0] ?? "";
    rest = rest.slice(sequence.length);
    const name = NAMES[sequence];
    if (name !== undefined) keys.push({ kind: "named", name });
    else if (!CONTROL.test(sequence)) keys.push({ kind: "character", character: sequence });
  }
  return keys;
}

const NAMES: Readonly<Record<string, NamedKey>> = {
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[C": "right",
  "\x1bOC": "right",
  "\x1b[D": "left",
  "\x1bOD": "left",
  "\x1b[5~": "page_up",
  "\x1b[6~": "page_down",
  "\x1b[H": "home",
  "\x1b[1~": "home",
  "\x1bOH": "home",
  "\x1b[F": "end",
  "\x1b[4~": "end",
  "\x1bOF": "end",
  "\x1b[Z": "back_tab",
  "\x1b": "escape",
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
};

// deno-lint-ignore no-control-regex -- escape sequences start with a control character
const ESCAPE_SEQUENCE = /^\x1b(?:\[[0-9;?<]*[ -/]*[@-~]|O[ -~])/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /^[\x00-\x1f\x7f]/;
