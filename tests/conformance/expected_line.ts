// SPDX-License-Identifier: Apache-2.0
// Reads one line of an expectation: JSON, or what Rust prints of a struct for debugging, with
// ` name: value` pairs after it. Both become the same plain values.

export type Value = string | number | bigint | boolean | null | readonly Value[] | Struct;

export interface Struct {
  readonly [name: string]: Value;
}

/** Properties of the line's message; null: the other decoder found none. */
export function readExpectedLine(line: string): Struct | null {
  const text = line.trim();
  if (text.startsWith("parse failed") || text.startsWith("None")) return null;
  if (text.startsWith("MemcachedInfo")) return readSpaced(text);
  if (text.startsWith("{")) return JSON.parse(text.slice(0, endOfJson(text)));
  const value = new RustReader(text).value();
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Error(`Cannot read an expectation: it is no struct but ${text.slice(0, 80)}`);
  }
  return value as Struct;
}

/** A struct printed without commas: `name: value name: value`. */
function readSpaced(text: string): Struct {
  const names = ["msg_type", "request", "req_size", "result", "err_msg", "res_size", "rtt"];
  const starts = names.map((name) => text.indexOf(` ${name}:`));
  return Object.fromEntries(names.map((name, i) => {
    const end = starts[i + 1] ?? text.indexOf(" }");
    return [name, text.slice((starts[i] ?? 0) + name.length + 2, end).trim()];
  }));
}

function endOfJson(text: string): number {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter === "\\") i++;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{") depth++;
    else if (letter === "}" && --depth === 0) return i + 1;
  }
  return text.length;
}

/**
 * `Name { field: value, … }`, `Name(value)`, `Some(value)`, `None`, `[value, …]`, `"text"`,
 * numbers with a unit. A tuple of one value is that value; other names are text.
 */
class RustReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Value {
    this.#space();
    const letter = this.#text[this.#at];
    if (letter === '"') return this.#quoted();
    if (letter === "[") return this.#list("[", "]");
    if (letter === "(") return this.#list("(", ")");
    if (letter === "{") return this.#fields();
    const word = this.#word();
    if (word === "") throw new Error(`Cannot read an expectation at ${this.#text.slice(this.#at)}`);
    this.#space();
    const next = this.#text[this.#at];
    if (next === "{") return named(word, this.#fields());
    if (next === "(") {
      const values = this.#list("(", ")");
      return values.length === 1 ? named(word, values[0] ?? null) : values;
    }
    if (word === "None") return null;
    if (word === "true" || word === "false") return word === "true";
    return /^-?\d+(\.\d+)?$/.test(word) ? numberOf(word) : word;
  }

  #fields(): Struct {
    const fields: Record<string, Value> = {};
    this.#take("{");
    while (!this.#has("}")) {
      this.#space();
      const name = this.#text[this.#at] === '"' ? this.#quoted() : this.#word();
      this.#take(":");
      fields[name] = this.value();
      this.#has(",");
    }
    return fields;
  }

  #list(open: string, close: string): Value[] {
    const values: Value[] = [];
    this.#take(open);
    while (!this.#has(close)) {
      values.push(this.value());
      this.#has(",");
    }
    return values;
  }

  #quoted(): string {
    const start = this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    }
    return this.#text.slice(start + 1, this.#at++).replaceAll(ESCAPE, unescaped);
  }

  #word(): string {
    const found = /[^\s,:{}()[\]]*/y;
    found.lastIndex = this.#at;
    const word = found.exec(this.#text)?.[0] ?? "";
    this.#at += word.length;
    return word;
  }

  #space(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #has(sign: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #take(sign: string): void {
    if (!this.#has(sign)) {
      throw new Error(`Cannot read an expectation: no ${sign} at ${this.#text.slice(this.#at)}`);
    }
  }
}

/** A struct keeps its name as `$name`; inside `Name(struct)` it has the outer one. */
function named(name: string, value: Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return name === "Some" ? value : { ...value, $name: name };
}

const ESCAPE = /\\(?:u\{([0-9a-f]+)\}|x([0-9a-f]{2})|(.))/g;

function unescaped(_all: string, code?: string, byte?: string, letter = ""): string {
  const hex = code ?? byte;
  if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
  return ({ n: "\n", r: "\r", t: "\t", "0": "\0" } as Record<string, string>)[letter] ?? letter;
}

function numberOf(word: string): number | bigint {
  const number = Number(word);
  return Number.isSafeInteger(number) || word.includes(".") ? number : BigInt(word);
}
