// SPDX-License-Identifier: Apache-2.0
// Reads what a TOML file declares of a protocol, and says what is wrong with it.

export interface Place {
  readonly at: number;
  readonly bytes: number;
  readonly little: boolean;
  /** Its first group is the value; null: the number in the bytes. */
  readonly pattern: RegExp | null;
  readonly names: Readonly<Record<string, string>>;
}

export interface Bit {
  readonly at: number;
  readonly mask: number;
}

export interface Declaration {
  readonly name: string;
  readonly spec: string;
  readonly transport: "tcp" | "udp" | "unix";
  readonly prefix: Uint8Array;
  /** `adds`: bytes of the frame that its length does not count. Null: the frame ends with `end`. */
  readonly length: (Place & { readonly adds: number }) | null;
  readonly end: number;
  readonly response: Bit | null;
  readonly oneway: Bit | null;
  readonly type: Place | null;
  readonly id: Place | null;
  readonly resource: Place | null;
  readonly code: Place | null;
}

type Table = Readonly<Record<string, unknown>>;

export function readDeclaration(file: Table): Declaration {
  const name = textOf(file, "name", "");
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(name)) {
    throw new Error(`name is ${JSON.stringify(name)}; write lower-case letters, digits and _`);
  }
  const transport = textOf(file, "transport", "tcp");
  if (transport !== "tcp" && transport !== "udp" && transport !== "unix") {
    throw new Error(`transport is ${transport}; it is one of tcp, udp, unix`);
  }
  const frame = tableOf(file, "frame") ?? {};
  const kind = tableOf(file, "kind") ?? {};
  const lengthTable = tableOf(frame, "length");
  const end = textOf(frame, "end", "");
  if (lengthTable === null && end.length !== 1) {
    throw new Error("frame has neither length = { at, bytes } nor an end of one character");
  }
  const length = placeOf(frame, "length");
  return {
    name,
    spec: textOf(file, "spec", ""),
    transport,
    prefix: hexOf(textOf(frame, "prefix", "")),
    length: length === null ? null : { ...length, adds: numberOf(lengthTable ?? {}, "adds", 0) },
    end: end.charCodeAt(0),
    response: bitOf(kind, "response"),
    oneway: bitOf(kind, "oneway"),
    type: placeOf(file, "type"),
    id: placeOf(file, "id"),
    resource: placeOf(file, "resource"),
    code: placeOf(file, "code"),
  };
}

function tableOf(table: Table, name: string): Table | null {
  const value = table[name];
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) throw new Error(`${name} is no table`);
  return value as Table;
}

function textOf(table: Table, name: string, otherwise: string): string {
  const value = table[name] ?? otherwise;
  if (typeof value !== "string") throw new Error(`${name} is no text`);
  return value;
}

function numberOf(table: Table, name: string, otherwise: number): number {
  const value = table[name] ?? otherwise;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new Error(`${name} is no whole number`);
  }
  return value;
}

function placeOf(table: Table, name: string): Place | null {
  const place = tableOf(table, name);
  if (place === null) return null;
  const pattern = textOf(place, "pattern", "");
  const bytes = numberOf(place, "bytes", 1);
  const at = numberOf(place, "at", pattern === "" ? -1 : 0);
  if (at < 0) throw new Error(`${name} has neither at nor pattern`);
  if (bytes < 1 || bytes > 6) throw new Error(`${name} has ${bytes} bytes; 1 to 6 can be read`);
  return {
    at,
    bytes,
    little: place.little === true,
    pattern: pattern === "" ? null : new RegExp(pattern, "m"),
    names: Object.fromEntries(
      Object.entries(tableOf(place, "names") ?? {}).map(([key, value]) => [key, String(value)]),
    ),
  };
}

function bitOf(table: Table, name: string): Bit | null {
  const bit = tableOf(table, name);
  return bit === null ? null : { at: numberOf(bit, "at", 0), mask: numberOf(bit, "mask", 0) };
}

function hexOf(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, "");
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) throw new Error(`prefix ${text} is no hexadecimal`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
