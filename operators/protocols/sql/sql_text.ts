// SPDX-License-Identifier: Apache-2.0
// What can be said of an SQL statement without a database: its shape without values, a short
// summary, and the trace context in its comments. A scanner of tokens, one pass, no grammar.

import type { Identity } from "../../../model/message.ts";
import { commentIdentity } from "./comment_identity.ts";
import { namesPassword, Passwords } from "./sql_passwords.ts";
import { type Dialect, isSpace, type Token, tokenAt, tokenEnd } from "./sql_tokens.ts";

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
  "ONLY",
  "TO",
  "IF",
  "NOT",
  "EXISTS",
  "LATERAL",
  "TABLE",
  "OUTFILE",
  "DUMPFILE",
]);
/** As the first word, these have the name of a procedure behind them. */
const CALLS = new Set(["CALL", "EXEC", "EXECUTE"]);
/** What comes in place of a table: a query, or what is to be changed. */
const NO_TARGET = new Set(["SELECT", "VALUES", "SET", "WITH"]);
/** What may follow the common table expressions of WITH. */
const VERBS = new Set(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"]);

/** Describes a statement. Cut statements are fine: an unclosed literal is masked to the end. */
export function describeSql(
  sql: string,
  dialect: Dialect,
  unmask = false,
): SqlText {
  const mask = new Mask(sql);
  const passwords = namesPassword(sql) ? new Passwords(sql) : null;
  const names = new Names(sql);
  let identity: Identity | null = null;
  for (let at = 0, end = 0; at < sql.length; at = end) {
    const token = tokenAt(sql, at, dialect);
    end = tokenEnd(token, sql, at, dialect);
    if (token === "comment") identity ??= commentIdentity(sql.slice(at, end));
    const shown = passwords?.follows(token, at, end) === true ? "literal" : token;
    mask.take(shown, at, end);
    names.take(shown, at, end);
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
  /** How deep in brackets the target stood. */
  #targetDepth = 0;

  constructor(sql: string) {
    this.#sql = sql;
  }

  take(token: Token, at: number, end: number): void {
    switch (token) {
      case "word":
        // Most words come when all is known.
        if (
          this.operation === "" || this.operation === "WITH" || this.target === "" ||
          this.#targetDepth > 0
        ) {
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
    if (this.operation === "") {
      this.operation = upper;
      if (CALLS.has(upper)) {
        this.#expectTarget = true;
        return;
      }
    }
    if (this.verb === "" && this.#depth === 0 && VERBS.has(upper)) this.verb = upper;
    if (NO_TARGET.has(upper)) this.#expectTarget = false;
    if (this.#expectTarget && !NOT_A_TARGET.has(upper)) this.#found(at, end);
    if (TARGET_AFTER.has(upper)) this.#expectTarget = true;
  }

  #found(at: number, end: number): void {
    this.#expectTarget = false;
    // The statement's own table before those of queries in it; but not the name of such a query.
    const own = this.#depth < this.#targetDepth &&
      !(this.operation === "WITH" && this.verb === "SELECT");
    if (this.target !== "" && !own) return;
    this.target = readTarget(this.#sql, at, end);
    this.#targetDepth = this.#depth;
  }
}

/** A table name with its schema: `a.b`, quotes removed. */
function readTarget(sql: string, at: number, end: number): string {
  const first = sql.slice(at, end);
  const rest = /^(?:\s*\.\s*(?:"[^"]{1,63}"|`[^`]{1,63}`|\[[^\]]{1,63}\]|[\w$]{1,63})){1,2}/.exec(
    sql.slice(end, end + 200),
  );
  return (first + (rest?.[0] ?? "")).replace(/["`[\]\s]/g, "").slice(0, 128);
}

/**
 * `IN (?, ?, ?)` and `VALUES (?, ?), (?, ?)` become `(?)`: equal shapes, equal text; a list that is
 * cut becomes `(?`.
 */
function collapseLists(masked: string): string {
  if (masked.indexOf("?") === masked.lastIndexOf("?")) return masked;
  const lists = masked.replace(/\(\s*\?(?:\s*,\s*\?)+\s*(?:\)|,?$)/g, collapsed);
  return lists.includes("(?)") ? lists.replace(/(\(\?\))(?:\s*,\s*\(\?\))+/g, "$1") : lists;
}

const collapsed = (list: string): string => list.endsWith(")") ? "(?)" : "(?";
