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

/** Kind and end of the token at `at`. */
function tokenAt(sql: string, at: number, mysql: boolean): [Token, number] {
  const c = sql.charCodeAt(at);
  if (isSpace(c)) {
    let i = at + 1;
    while (i < sql.length && isSpace(sql.charCodeAt(i))) i++;
    return ["space", i];
  }
  if (c === 39) return ["literal", quotedEnd(sql, at, mysql || /[eE]/.test(sql[at - 1] ?? ""))];
  if (c === 34) return [mysql ? "literal" : "quoted", quotedEnd(sql, at, mysql)];
  if (c === 96) return ["quoted", quotedEnd(sql, at, false)];
  if ((c === 45 && sql.charCodeAt(at + 1) === 45) || (c === 35 && mysql)) {
    const end = sql.indexOf("\n", at);
    return ["comment", end < 0 ? sql.length : end];
  }
  if (c === 47 && sql.charCodeAt(at + 1) === 42) {
    const end = sql.indexOf("*/", at + 2);
    return ["comment", end < 0 ? sql.length : end + 2];
  }
  if (isDigit(c) || (c === 46 && isDigit(sql.charCodeAt(at + 1)))) {
    return ["literal", numberEnd(sql, at)];
  }
  if (c === 36) {
    const end = dollarEnd(sql, at);
    if (end > 0) return ["literal", end];
  }
  if (isWord(c)) {
    let i = at + 1;
    while (i < sql.length && isWord(sql.charCodeAt(i))) i++;
    return ["word", i];
  }
  return ["sign", at + 1];
}

/** `x'1f'`, `b'01'`, `e'…'`, `n'…'`, `u&'…'`: the letter belongs to the literal. */
const isLiteralPrefix = (word: string) => word.length === 1 && /[xXbBeEnNuU]/.test(word);

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
  let masked = "";
  let operation = "";
  let verb = "";
  let target = "";
  let expectTarget = false;
  let identity: Identity | null = null;
  let depth = 0;
  let at = 0;
  while (at < sql.length) {
    const [token, end] = tokenAt(sql, at, mysql);
    const text = sql.slice(at, end);
    at = end;
    if (token === "comment") {
      identity ??= commentIdentity(text);
      continue;
    }
    if (token === "space") {
      if (masked !== "" && !masked.endsWith(" ")) masked += " ";
      continue;
    }
    if (token === "literal") {
      if (masked.length === 0 || isLiteralPrefix(lastWord(masked))) {
        masked = masked.slice(0, masked.length - lastWord(masked).length);
      }
      masked += "?";
      expectTarget = false;
      continue;
    }
    masked += text;
    if (token === "sign") {
      if (text === "(") depth++;
      if (text === ")") depth--;
      if (text !== "." && text !== "(") expectTarget = false;
      continue;
    }
    const upper = token === "word" ? text.toUpperCase() : "";
    if (operation === "" && upper !== "") operation = upper;
    if (verb === "" && depth === 0 && VERBS.has(upper)) verb = upper;
    if (expectTarget && target === "" && !NOT_A_TARGET.has(upper)) {
      target = readTarget(sql, at, text);
      expectTarget = false;
    }
    if (TARGET_AFTER.has(upper)) expectTarget = true;
  }
  const name = operation === "WITH" && verb !== "" ? verb : operation;
  const shape = collapseLists(masked.replace(/[\s;]+$/, ""));
  return {
    masked: shape,
    text: unmask ? sql : shape,
    operation: name,
    target,
    summary: target === "" ? name : `${name} ${target}`,
    identity,
  };
}

const lastWord = (text: string): string => /[A-Za-z]+$/.exec(text.slice(-3))?.[0] ?? "";

/** A table name with its schema: `a.b`, quotes removed. */
function readTarget(sql: string, at: number, first: string): string {
  const rest = /^(?:\s*\.\s*(?:"[^"]{1,63}"|`[^`]{1,63}`|[\w$]{1,63})){1,2}/.exec(
    sql.slice(at, at + 200),
  );
  return (first + (rest?.[0] ?? "")).replace(/["`\s]/g, "").slice(0, 128);
}

/** `IN (?, ?, ?)` and `VALUES (?, ?), (?, ?)` become `(?)`: equal shapes, equal text. */
function collapseLists(masked: string): string {
  if (!masked.includes("?")) return masked;
  return masked
    .replace(/\(\s*\?(?:\s*,\s*\?)+\s*\)/g, "(?)")
    .replace(/(\(\?\))(?:\s*,\s*\(\?\))+/g, "$1");
}
