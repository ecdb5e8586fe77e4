// SPDX-License-Identifier: Apache-2.0
// Passwords that stand in a statement without being literals: names in quotes, and bare words.
//
//   CREATE USER u IDENTIFIED BY secret [REPLACE old]        ALTER ROLE r PASSWORD secret

import type { Token } from "./sql_tokens.ts";

const ACCOUNTS = new Set(["USER", "ROLE", "LOGIN", "GROUP"]);
/** What stands before these in a statement about them. */
const MAKES = new Set(["CREATE", "ALTER", "REPLACE", "SERVER", "APPLICATION"]);
/** What may follow PASSWORD and BY without being one. */
const NO_PASSWORD = new Set([
  ...["PASSWORD", "VALUES", "RANDOM", "NULL", "EXPIRE", "FOR", "FROM", "LOCK", "HISTORY", "REUSE"],
  ...["REQUIRE", "INTERVAL", "DEFAULT", "NEVER", "OPTIONAL", "CURRENT", "EXTERNALLY", "ENCRYPTED"],
  ...["UNENCRYPTED", "N", "E", "X", "U", "SHA2", "MD5"],
]);
const WORD_MAX = 12;

/** Whether there is anything to look for: most statements have no such word. */
export const namesPassword = (sql: string): boolean => /password|identified/i.test(sql);

/** Goes along with the tokens of one statement. */
export class Passwords {
  readonly #sql: string;
  #words = 0;
  /** The statement makes or changes who may log in. */
  #accounts = false;
  #before = "";
  /** The next word, name or literal is one. */
  #next = false;
  /** IDENTIFIED stands before: BY has one behind it, and so has REPLACE. */
  #identified = false;

  constructor(sql: string) {
    this.#sql = sql;
  }

  /** Whether this token is a password. */
  follows(token: Token, at: number, end: number): boolean {
    switch (token) {
      case "word":
        return this.#word(end - at > WORD_MAX ? "" : this.#sql.slice(at, end).toUpperCase());
      case "quoted":
      case "literal": {
        const follows = this.#next;
        this.#next = false;
        return follows;
      }
      case "sign":
        // PASSWORD = secret, and what stands in brackets.
        if (!"=(".includes(this.#sql.charAt(at))) this.#next = false;
        return false;
      default:
        return false;
    }
  }

  #word(word: string): boolean {
    const before = this.#before;
    this.#before = word;
    this.#words++;
    if (this.#next && !NO_PASSWORD.has(word)) {
      this.#next = false;
      return true;
    }
    if (ACCOUNTS.has(word) && MAKES.has(before) && this.#words <= 5) this.#accounts = true;
    if (word === "IDENTIFIED") this.#identified = true;
    this.#next = (word === "BY" && this.#identified && before !== "ORDER" && before !== "GROUP") ||
      (word === "PASSWORD" && (this.#accounts || before === "SET")) ||
      (word === "REPLACE" && this.#identified) ||
      (this.#next && NO_PASSWORD.has(word));
    return false;
  }
}
