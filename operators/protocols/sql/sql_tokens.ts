// SPDX-License-Identifier: Apache-2.0
// The tokens of an SQL statement, as far as masking needs them: what is a literal, what a comment.

export type Token = "space" | "comment" | "literal" | "word" | "quoted" | "sign";
export type Dialect = "postgresql" | "mysql" | "other";

export const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);
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

const UUID_CHARACTERS = 36;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** Cassandra writes them without quotes. */
const isUuid = (sql: string, at: number): boolean =>
  sql.charCodeAt(at + 8) === 45 && sql.charCodeAt(at + 13) === 45 &&
  UUID.test(sql.slice(at, at + UUID_CHARACTERS));

const BRACKETS_MAX = 130;

/** SQL Server's `[name]`; 0 for what indexes or lists. */
function bracketEnd(sql: string, at: number): number {
  if (isWord(sql.charCodeAt(at - 1))) return 0;
  return /^\[[A-Za-z_#@][^\][,'"]*\]/.exec(sql.slice(at, at + BRACKETS_MAX))?.[0].length ?? 0;
}

export function tokenAt(sql: string, at: number, dialect: Dialect): Token {
  const c = sql.charCodeAt(at);
  if ((c >= 97 && c <= 122) || (c >= 65 && c <= 90)) return isUuid(sql, at) ? "literal" : "word";
  if (isSpace(c)) return "space";
  if (isDigit(c) || c === 39) return "literal";
  if (c === 46) return isDigit(sql.charCodeAt(at + 1)) ? "literal" : "sign";
  if (c === 34) return dialect === "mysql" ? "literal" : "quoted";
  if (c === 96) return "quoted";
  if (c === 45) return sql.charCodeAt(at + 1) === 45 ? "comment" : "sign";
  if (c === 47) return sql.charCodeAt(at + 1) === 42 ? "comment" : "sign";
  if (c === 35) return dialect === "mysql" ? "comment" : "sign";
  if (c === 36) return dollarEnd(sql, at) > 0 ? "literal" : "word";
  if (c === 91) return dialect === "other" && bracketEnd(sql, at) > 0 ? "quoted" : "sign";
  return isWord(c) ? "word" : "sign";
}

export function tokenEnd(token: Token, sql: string, at: number, dialect: Dialect): number {
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
      return c === 91 ? at + bracketEnd(sql, at) : quotedEnd(sql, at, false);
    case "literal":
      return literalEnd(sql, at, dialect === "mysql");
    case "comment":
      return commentEnd(sql, at, dialect !== "mysql");
    case "sign":
      return i;
  }
}

function literalEnd(sql: string, at: number, mysql: boolean): number {
  const c = sql.charCodeAt(at);
  if (c === 34) return quotedEnd(sql, at, mysql);
  if (c === 39) return quotedEnd(sql, at, mysql || /[eE]/.test(sql[at - 1] ?? ""));
  if (c === 36) return dollarEnd(sql, at);
  return isUuid(sql, at) ? at + UUID_CHARACTERS : numberEnd(sql, at);
}

/** Comments in comments: PostgreSQL and SQL Server have them, others do not. */
function commentEnd(sql: string, at: number, nests: boolean): number {
  const lined = sql.charCodeAt(at) !== 47;
  const end = lined ? sql.indexOf("\n", at) : sql.indexOf("*/", at + 2);
  if (end < 0) return sql.length;
  if (lined) return end;
  if (!nests || sql.lastIndexOf("/*", end) <= at + 1) return end + 2;
  const marks = /\/\*|\*\//g;
  marks.lastIndex = at;
  let depth = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  // It does not end if comments nest: then they do not.
  return end + 2;
}
