// SPDX-License-Identifier: Apache-2.0
// What can be said of an SQL statement without a database: its shape without values, a short
// summary, and the trace context in its comments. A scanner of tokens, one pass, no grammar.

import type { Identity } from "../../../model/message.ts";
import { parseTraceparent } from "../../wire/trace_context.ts";

/** A statement without secrets: literals are `?`, comments and runs of white space are gone. */
export interface SqlText {
  /** The statement with every literal replaced by `?`. */
  readonly masked: string;
  /** As `masked`, or as it was written, where that was asked for. */
  readonly text: string;
  /** First keyword, upper case: SELECT, INSERT, BEGIN …; "" for an empty statement. */
  readonly operation: string;
  /** The first table named after FROM, INTO, UPDATE, JOIN or TABLE; "" if none. */
  readonly target: string;
  /** `{operation} {target}`, the low-cardinality name (db.query.summary). */
  readonly summary: string;
  readonly identity: Identity | null;
}

const TARGET_AFTER = new Set(["FROM", "INTO", "UPDATE", "JOIN", "TABLE", "COPY"]);
const NOT_A_TARGET = new Set([
  "SELECT",
  "ONLY",
  "TO",
  "IF",
  "NOT",
  "EXISTS",
  "LATERAL",
  "SET",
  "VALUES",
]);
/** What may follow the common table expressions of WITH. */
const VERBS = new Set(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"]);

type Token = "space" | "comment" | "literal" | "word" | "quoted" | "sign";

const isSpace = (c: number) => c === 32 || (c >= 9 && c <= 13);
const isDigit = (c: number) => c >= 48 && c <= 57;
const isWord = (c: number) =>
  (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c === 36 || c > 127 || isDigit(c);

/** End of a quoted run that starts at `at`; doubled quotes stay inside, backslashes on request. */
function quotedEnd(sql: string, at: number, backslash: boolean): number {
  const quote = sql.charCodeAt(at);
  let i = at + 1;
  for (; i < sql.length; i++) {
    const c = sql.charCodeAt(i);
    if (c === 92 && backslash) i++;
    else if (c === quote) {
      if (sql.charCodeAt(i + 1) === quote) i++;
      else return i + 1;
    }
  }
  return sql.length;
}

function numberEnd(sql: string, at: number): number {
  let i = at;
  while (i < sql.length) {
    const c = sql.charCodeAt(i);
    const exponentSign = (c === 43 || c === 45) && /[eE]/.test(sql[i - 1] ?? "");
    if (!isWord(c) && c !== 46 && !exponentSign) break;
    i++;
  }
  return i;
}

/** PostgreSQL dollar quotes: `$$…$$` or `$tag$…$tag$`; 0 when this is not one. */
function dollarEnd(sql: string, at: number): number {
  const tag = /^\$(?:[A-Za-z_][A-Za-z_0-9]{0,62})?\$/.exec(sql.slice(at, at + 66));
  if (tag === null) return 0;
  const close = sql.indexOf(tag[0], at + tag[0].length);
  return close < 0 ? sql.length : close + tag[0].length;
}

function tokenAt(sql: string, at: number, mysql: boolean): Token {
  const c = sql.charCodeAt(at);
  if ((c >= 97 && c <= 122) || (c >= 65 && c <= 90)) return "word";
  if (isSpace(c)) return "space";
  if (isDigit(c) || c === 39) return "literal";
  if (c === 46) return isDigit(sql.charCodeAt(at + 1)) ? "literal" : "sign";
  if (c === 34) return mysql ? "literal" : "quoted";
  if (c === 96) return "quoted";
  if (c === 45) return sql.charCodeAt(at + 1) === 45 ? "comment" : "sign";
  if (c === 47) return sql.charCodeAt(at + 1) === 42 ? "comment" : "sign";
  if (c === 35) return mysql ? "comment" : "sign";
  if (c === 36) return dollarEnd(sql, at) > 0 ? "literal" : "word";
  return isWord(c) ? "word" : "sign";
}

function tokenEnd(token: Token, sql: string, at: number, mysql: boolean): number {
  const c = sql.charCodeAt(at);
  let i = at + 1;
  switch (token) {
    case "word":
      while (i < sql.length && isWord(sql.charCodeAt(i))) i++;
      return i;
    case "space":
      while (i < sql.length && isSpace(sql.charCodeAt(i))) i++;
      return i;
    case "quoted":
      return quotedEnd(sql, at, false);
    case "literal":
      if (c === 34) return quotedEnd(sql, at, mysql);
      if (c === 39) return quotedEnd(sql, at, mysql || /[eE]/.test(sql[at - 1] ?? ""));
      return c === 36 ? dollarEnd(sql, at) : numberEnd(sql, at);
    case "comment": {
      const end = c === 47 ? sql.indexOf("*/", at + 2) : sql.indexOf("\n", at);
      if (end < 0) return sql.length;
      return c === 47 ? end + 2 : end;
    }
    case "sign":
      return i;
  }
}

/** Reads the trace context that sqlcommenter puts into a comment: `traceparent='00-…'`. */
function commentIdentity(comment: string): Identity | null {
  const found = /traceparent\s*=\s*['"]?([0-9a-fA-F-]{55})/.exec(comment);
  return found?.[1] === undefined ? null : parseTraceparent(found[1]);
}

/** Describes a statement. Cut statements are fine: an unclosed literal is masked to the end. */
export function describeSql(
  sql: string,
  dialect: "postgresql" | "mysql" | "other",
  unmask = false,
): SqlText {
  const mysql = dialect === "mysql";
  const mask = new Mask(sql);
  const names = new Names(sql);
  let identity: Identity | null = null;
  for (let at = 0, end = 0; at < sql.length; at = end) {
    const token = tokenAt(sql, at, mysql);
    end = tokenEnd(token, sql, at, mysql);
    if (token === "comment") identity ??= commentIdentity(sql.slice(at, end));
    mask.take(token, at, end);
    names.take(token, at, end);
  }
  const shape = mask.shape();
  const { target } = names;
  const name = names.operation === "WITH" && names.verb !== "" ? names.verb : names.operation;
  return {
    masked: shape,
    text: unmask ? sql : shape,
    operation: name,
    target,
    summary: target === "" ? name : `${name} ${target}`,
    identity,
  };
}

/** The statement as it is masked, token by token: what stays as it was is copied in long runs. */
class Mask {
  readonly #sql: string;
  #masked = "";
  /** Where the text begins that has been taken as it is but is not copied yet. */
  #from = 0;
  /** The last two characters of what has been taken, 0 before any. */
  #last = 0;
  #before = 0;

  constructor(sql: string) {
    this.#sql = sql;
  }

  take(token: Token, at: number, end: number): void {
    if (token === "comment") this.#replace(at, end, "");
    else if (token === "space") {
      if (this.#last === 0 || this.#last === 32) this.#replace(at, end, "");
      else if (end > at + 1 || this.#sql.charCodeAt(at) !== 32) this.#replace(at, end, " ");
      else this.#note(32);
    } else if (token === "literal") {
      if (this.#isPrefixed()) this.#dropLast(at);
      this.#replace(at, end, "?");
    } else {
      if (end > at + 1) this.#last = this.#sql.charCodeAt(end - 2);
      this.#note(this.#sql.charCodeAt(end - 1));
    }
  }

  shape(): string {
    this.#replace(this.#sql.length, this.#sql.length, "");
    const masked = this.#masked;
    let end = masked.length;
    while (end > 0 && isEnd(masked.charCodeAt(end - 1))) end--;
    return collapseLists(masked.slice(0, end));
  }

  #note(character: number): void {
    this.#before = this.#last;
    this.#last = character;
  }

  /** Puts `text` in the place of [at, end). */
  #replace(at: number, end: number, text: string): void {
    if (at > this.#from) this.#masked += this.#sql.slice(this.#from, at);
    this.#from = end;
    if (text === "") return;
    this.#masked += text;
    this.#note(text.charCodeAt(0));
  }

  /** `x'1f'`, `b'01'`, `e'…'`, `n'…'`: a letter that stands alone belongs to the literal. */
  #isPrefixed(): boolean {
    return isLetter(this.#last) && !isLetter(this.#before) &&
      "xbenu".includes(String.fromCharCode(this.#last | 32));
  }

  /** Gives up the last character, with what has not been copied up to `at`. */
  #dropLast(at: number): void {
    if (at > this.#from) this.#replace(at - 1, at, "");
    else this.#masked = this.#masked.slice(0, -1);
    this.#last = this.#before;
    this.#before = 0;
  }
}

/** White space or a semicolon. */
const isEnd = (c: number) => c === 59 || c === 160 || isSpace(c);
const isLetter = (c: number) => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);

/** What the statement does, and to which table first. */
class Names {
  readonly #sql: string;
  operation = "";
  /** What follows common table expressions. */
  verb = "";
  target = "";
  #expectTarget = false;
  #depth = 0;

  constructor(sql: string) {
    this.#sql = sql;
  }

  take(token: Token, at: number, end: number): void {
    switch (token) {
      case "word":
        // Most words come when all is known.
        if (this.operation === "" || this.operation === "WITH" || this.target === "") {
          this.#word(this.#sql.slice(at, end).toUpperCase(), at, end);
        }
        break;
      case "quoted":
        if (this.#expectTarget) this.#found(at, end);
        break;
      case "literal":
        this.#expectTarget = false;
        break;
      case "sign":
        this.#sign(this.#sql.charCodeAt(at));
    }
  }

  #sign(character: number): void {
    if (character === 40) this.#depth++;
    else if (character === 41) this.#depth--;
    if (character !== 46 && character !== 40) this.#expectTarget = false;
  }

  #word(upper: string, at: number, end: number): void {
    if (this.operation === "") this.operation = upper;
    if (this.verb === "" && this.#depth === 0 && VERBS.has(upper)) this.verb = upper;
    if (this.#expectTarget && !NOT_A_TARGET.has(upper)) this.#found(at, end);
    if (TARGET_AFTER.has(upper)) this.#expectTarget = true;
  }

  #found(at: number, end: number): void {
    this.#expectTarget = false;
    if (this.target === "") this.target = readTarget(this.#sql, at, end);
  }
}

/** A table name with its schema: `a.b`, quotes removed. */
function readTarget(sql: string, at: number, end: number): string {
  const first = sql.slice(at, end);
  const rest = /^(?:\s*\.\s*(?:"[^"]{1,63}"|`[^`]{1,63}`|[\w$]{1,63})){1,2}/.exec(
    sql.slice(end, end + 200),
  );
  return (first + (rest?.[0] ?? "")).replace(/["`\s]/g, "").slice(0, 128);
}

/** `IN (?, ?, ?)` and `VALUES (?, ?), (?, ?)` become `(?)`: equal shapes, equal text. */
function collapseLists(masked: string): string {
  if (masked.indexOf("?") === masked.lastIndexOf("?")) return masked;
  const lists = masked.replace(/\(\s*\?(?:\s*,\s*\?)+\s*\)/g, "(?)");
  return lists.includes("(?)") ? lists.replace(/(\(\?\))(?:\s*,\s*\(\?\))+/g, "$1") : lists;
}
