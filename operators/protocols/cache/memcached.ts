// SPDX-License-Identifier: Apache-2.0
// Memcached: the text protocol (classic and meta commands) and the binary one.
//
//   text  : verb key… [flags exptime bytes [noreply]] CRLF [data CRLF]
//   answer: VALUE key flags bytes [cas] CRLF data CRLF … END CRLF | one line
//   binary: magic u8 (80 asks, 81 answers) | opcode u8 | key length u16 | extras length u8
//     | type u8
//           | status or vbucket u16 | body length u32 | opaque u32 | cas u64 | extras | key | value

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import {
  type Claim,
  defineProtocol,
  type Draft,
  type Make,
  type Step,
} from "../../wire/protocol.ts";
import { latin1Of } from "../../wire/text.ts";

const LINE_BYTES_MAX = 2_048 + 256;
const KEYS_SHOWN_MAX = 16;
const BODY_BYTES_MAX = 1 << 27;

const STORAGE = new Set(["set", "add", "replace", "append", "prepend", "cas"]);
const RETRIEVAL = new Set(["get", "gets", "gat", "gats"]);
const META = new Set(["mg", "ms", "md", "ma"]);
const OTHER = new Set([
  ...["incr", "decr", "delete", "touch", "flush_all", "stats", "version", "verbosity", "quit"],
  ...["mg", "ms", "md", "ma", "mn", "me", "slabs", "lru", "cache_memlimit", "shutdown", "watch"],
]);

const KEYED = new Set([...STORAGE, ...META, "incr", "decr", "delete", "touch", "me"]);

/** Whole answers of one line, by their first word. */
const LINES = new Set([
  ...["STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "OK", "END", "VERSION"],
  ...["ERROR", "CLIENT_ERROR", "SERVER_ERROR", "BUSY", "BADCLASS", "NOSPARE", "NOTFULL", "RESET"],
  ...["HD", "EN", "NF", "NS", "EX", "MN", "ME"],
]);

const OPCODES: Readonly<Record<number, string>> = {
  0: "GET",
  1: "SET",
  2: "ADD",
  3: "REPLACE",
  4: "DELETE",
  5: "INCREMENT",
  6: "DECREMENT",
  7: "QUIT",
  8: "FLUSH",
  9: "GETQ",
  10: "NOOP",
  11: "VERSION",
  12: "GETK",
  13: "GETKQ",
  14: "APPEND",
  15: "PREPEND",
  16: "STAT",
  17: "SETQ",
  18: "ADDQ",
  19: "REPLACEQ",
  20: "DELETEQ",
  21: "INCREMENTQ",
  22: "DECREMENTQ",
  23: "QUITQ",
  24: "FLUSHQ",
  25: "APPENDQ",
  26: "PREPENDQ",
  27: "VERBOSITY",
  28: "TOUCH",
  29: "GAT",
  30: "GATQ",
  32: "SASL_LIST_MECHS",
  33: "SASL_AUTH",
  34: "SASL_STEP",
  35: "GATK",
  36: "GATKQ",
};

/** Bytes of extras that a request has by its opcode, none where nothing is said. */
const EXTRAS: Readonly<Record<number, number>> = {
  ...{ 1: 8, 2: 8, 3: 8, 17: 8, 18: 8, 19: 8, 5: 20, 6: 20, 21: 20, 22: 20 },
  ...{ 27: 4, 28: 4, 29: 4, 30: 4, 35: 4, 36: 4 },
};
/** Requests without a key: QUIT, FLUSH, NOOP, VERSION and their like. */
const KEYLESS = new Set([7, 8, 10, 11, 16, 23, 24, 27, 32]);

/** Requests have the key and extras of their opcode, answers four bytes of extras or none. */
function isBinaryHead(magic: number, opcode: number, key: number, extras: number): boolean {
  if (OPCODES[opcode] === undefined || key > KEY_BYTES_MAX) return false;
  if (magic === 0x81) return extras === 0 || extras === 4;
  const flush = opcode === 8 || opcode === 24;
  const fits = extras === (EXTRAS[opcode] ?? 0) || (flush && extras === 4);
  return fits && (key > 0 || KEYLESS.has(opcode));
}

const KEY_BYTES_MAX = 250;

/** Status of a binary answer; those that are the server's fault come from 0x81 on. */
const STATUSES: Readonly<Record<number, string>> = {
  0: "OK",
  1: "KEY_NOT_FOUND",
  2: "KEY_EXISTS",
  3: "VALUE_TOO_LARGE",
  4: "INVALID_ARGUMENTS",
  5: "NOT_STORED",
  6: "NON_NUMERIC",
  7: "NOT_MY_VBUCKET",
  8: "AUTH_ERROR",
  9: "AUTH_CONTINUE",
  0x20: "AUTH_ERROR",
  0x21: "AUTH_CONTINUE",
  0x81: "UNKNOWN_COMMAND",
  0x82: "OUT_OF_MEMORY",
  0x83: "NOT_SUPPORTED",
  0x84: "INTERNAL_ERROR",
  0x85: "BUSY",
  0x86: "TEMPORARY_FAILURE",
};

const FIELDS = {
  key: { type: "string", doc: "key, or the first ones of several" },
  keys: { type: "number", doc: "number of keys asked for, when more than one" },
  hits: { type: "number", doc: "values returned" },
  result: { type: "string", doc: "first word or status of the answer" },
  error_message: { type: "string", doc: "text of an error" },
} as const;
type F = typeof FIELDS;

interface State {
  /** Data still to pass over after a storage command or a VALUE line, CRLF included. */
  data: number;
  dataBack: number;
  hits: number;
  /** The data back belongs to an answer that was told, and ends it. */
  told: boolean;
  /**
   * Meta commands were sent that are answered only where there is something to say: until MN, which
   * answers the `mn` behind them, answers are theirs.
   */
  quiet: boolean;
}

export const memcached = defineProtocol<F, State>({
  name: "memcached",
  spec: "https://github.com/memcached/memcached/blob/master/doc/protocol.txt",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "all",
  starts: byteSet("acdfgilmrstuvwABCDEHMNORSTV", 0x80, 0x81),
  words: [
    ...[...STORAGE, ...RETRIEVAL, "incr", "decr", "delete", "touch", "mg ", "md ", "ma ", "mn\r"],
    ...["stats", "version", "flush_all", "VALUE", "STORED", "NOT_STORED", "DELETED", "TOUCHED"],
    ...["END", "STAT"],
  ],
  probe,
  open: () => ({ data: 0, dataBack: 0, hits: 0, told: false, quiet: false }),

  read(cursor, way, make, state) {
    const magic = cursor.peek();
    const idle = way === "toClient" ? state.dataBack === 0 : state.data === 0;
    if (idle && (magic === 0x80 || magic === 0x81)) return readBinary(cursor, magic, make);
    return way === "toClient" ? readAnswer(cursor, make, state) : readCommand(cursor, make, state);
  },

  lost(state, way) {
    state.quiet = false;
    if (way === "toClient") Object.assign(state, { dataBack: 0, hits: 0, told: false });
    else state.data = 0;
  },
});

function readCommand(cursor: Cursor, make: Make<F>, state: State): Step {
  if (state.data > 0) {
    // The last byte is read rather than skipped, so that the message ends here.
    if (state.data > 1) {
      const bytes = state.data - 1;
      state.data = 1;
      return { kind: "skip", bytes };
    }
    state.data = 0;
    cursor.skip(1);
    return { kind: "end" };
  }
  const words = cursor.line(LINE_BYTES_MAX).split(" ");
  const [verb = ""] = words;
  const stores = STORAGE.has(verb);
  if (!stores && !RETRIEVAL.has(verb) && !OTHER.has(verb)) throw new Malformed("no such command");
  const keys = keysOf(verb, words);
  const draft: Draft<F> = {
    type: verb,
    resource: shown(words),
    endpoint: verb,
    fields: {
      ...(keys.length > 0 && { key: keys.slice(0, KEYS_SHOWN_MAX).join(" ") }),
      ...(keys.length > 1 && { keys: keys.length }),
    },
  };
  const hushed = META.has(verb) && words.includes("q", 2);
  // Another command among quiet ones: whose an answer is, is anyone's guess.
  state.quiet = hushed || (state.quiet && verb === "mn");
  if (stores || verb === "ms") {
    const bytes = Number(words[stores ? 4 : 2]);
    if (!(bytes >= 0 && bytes <= BODY_BYTES_MAX)) throw new Malformed("no length of data");
    state.data = bytes + 2;
    const more = { ...draft, more: true };
    return hushed || words.at(-1) === "noreply" ? make.oneway(more) : make.request(more);
  }
  if (hushed || verb === "quit" || words.at(-1) === "noreply") return make.oneway(draft);
  return make.request(draft);
}

function keysOf(verb: string, words: readonly string[]): readonly string[] {
  if (RETRIEVAL.has(verb)) return words.slice(verb.startsWith("gat") ? 2 : 1);
  return KEYED.has(verb) ? words.slice(1, 2) : [];
}

/** The command as it was sent, as many keys of it as are shown. */
const shown = (words: readonly string[]): string =>
  words.slice(0, KEYS_SHOWN_MAX + 2).join(" ").trimEnd();

function readAnswer(cursor: Cursor, make: Make<F>, state: State): Step {
  if (state.dataBack > 0) {
    const bytes = state.told ? state.dataBack - 1 : state.dataBack;
    state.dataBack -= bytes;
    if (bytes > 0) return { kind: "skip", bytes };
    cursor.skip(1);
    state.dataBack = 0;
    state.told = false;
    return { kind: "end" };
  }
  const line = cursor.line(LINE_BYTES_MAX);
  const space = line.indexOf(" ");
  const word = space < 0 ? line : line.slice(0, space);
  if (word === "VALUE" || word === "VA") {
    const bytes = Number(line.split(" ")[word === "VA" ? 1 : 3]);
    if (!(bytes >= 0 && bytes <= BODY_BYTES_MAX)) throw new Malformed("no length of data");
    state.dataBack = bytes + 2;
    state.hits++;
    if (word === "VALUE") return { kind: "nothing" };
    state.told = true;
    return finish(make, state, word, line);
  }
  if (word === "STAT" || word === "ITEM") return { kind: "nothing" };
  if (!LINES.has(word) && !/^\d+$/.test(word)) throw new Malformed("no such answer");
  return finish(make, state, word, line);
}

function finish(make: Make<F>, state: State, word: string, line: string): Step {
  const { hits } = state;
  state.hits = 0;
  const failed = word === "ERROR" || word === "CLIENT_ERROR" || word === "SERVER_ERROR";
  const unasked = state.quiet && word !== "MN";
  if (word === "MN") state.quiet = false;
  const draft: Draft<F> = {
    more: state.told,
    status: word === "SERVER_ERROR" ? "server_error" : failed ? "client_error" : "ok",
    fields: {
      result: /^\d/.test(word) ? "value" : word,
      ...(hits > 0 && { hits: hits }),
      ...(failed && line.length > word.length && { error_message: line.slice(word.length + 1) }),
    },
  };
  return unasked ? make.oneway({ ...draft, type: word }) : make.response(draft);
}

/** Quiet commands (GETQ, SETQ …) are answered only when there is something to say. */
function readBinary(cursor: Cursor, magic: number, make: Make<F>): Step {
  cursor.skip(1);
  const opcode = cursor.u8();
  const keyBytes = cursor.u16();
  const extraBytes = cursor.u8();
  cursor.skip(1);
  const status = cursor.u16();
  const bodyBytes = cursor.u32();
  const opaque = cursor.u32();
  cursor.skip(8);
  const type = OPCODES[opcode];
  const known = type !== undefined && isBinaryHead(magic, opcode, keyBytes, extraBytes);
  if (!known || keyBytes + extraBytes > bodyBytes || bodyBytes > BODY_BYTES_MAX) {
    throw new Malformed("not a binary header");
  }
  cursor.skip(extraBytes);
  const key = cursor.textCaptured(keyBytes, 256);
  cursor.skip(bodyBytes - extraBytes - keyBytes);
  if (magic === 0x80) {
    const draft = {
      type,
      resource: `${type} ${key}`.trimEnd(),
      endpoint: type,
      id: opaque,
      fields: key === "" ? {} : { key },
    };
    return type.endsWith("Q") ? make.oneway(draft) : make.request(draft);
  }
  const draft: Draft<F> = {
    type,
    code: status,
    id: opaque,
    status: status >= 0x82 ? "server_error" : status === 0 || status === 1 ? "ok" : "client_error",
    fields: { result: STATUSES[status] ?? `STATUS_${status}` },
  };
  // Nobody waits for it: it must not be taken for the answer to a later command.
  return type.endsWith("Q") ? make.oneway({ ...draft, resource: key }) : make.response(draft);
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  const first = bytes[0] ?? 0;
  if (first === 0x80 || first === 0x81) return probeBinary(bytes, length, first);
  const end = bytes.indexOf(10);
  if (end < 1 || bytes[end - 1] !== 13) return end < 0 && length < 64 ? { kind: "maybe" } : NO;
  if (end > 1_024) return NO;
  const line = latin1Of(bytes, 0, end - 1);
  if (/[^\x20-\x7e]/.test(line)) return NO;
  const words = line.split(" ");
  const verb = words[0] ?? "";
  if (STORAGE.has(verb)) {
    const numbers = words.slice(2, 5).every((word) => /^-?\d{1,10}$/.test(word));
    return words.length >= 5 && words.length <= 7 && numbers ? { kind: "request", score: 92 } : NO;
  }
  if (RETRIEVAL.has(verb)) {
    return words.length > 1 && !line.includes(", ") && follows(bytes, end + 1)
      ? { kind: "request", score: 80 }
      : NO;
  }
  if (/^(?:incr|decr|delete|touch|mg|md|ma) /.test(line)) return { kind: "request", score: 75 };
  if (/^(?:stats|version|flush_all|mn)$/.test(line)) return { kind: "request", score: 70 };
  if (/^VALUE \S+ \d+ \d+(?: \d+)?$/.test(line)) return { kind: "response", score: 92 };
  if (/^(?:STORED|NOT_STORED|DELETED|TOUCHED|END)$/.test(line)) {
    return { kind: "response", score: 85 };
  }
  return /^STAT \S+ /.test(line) ? { kind: "response", score: 85 } : NO;
}

const STORE_LINE =
  /^(?:set|add|replace|append|prepend|cas) \S{1,250} \d{1,10} -?\d{1,10} \d{1,10}\b/;
const OTHER_LINE = /^(?:gets?|gats?|incr|decr|delete|touch|m[gda]|mn)(?: (?!.*[,:.] )\S|$)/;

/** No more than the beginning of a command that stores. */
const BEGUN_LINE = /^(?:set|add|replace|append|prepend|cas)? ?\S*$/;

/** Nothing, or another command: "get …" also begins sentences. */
function follows(bytes: Uint8Array, at: number): boolean {
  if (at >= bytes.length) return true;
  const line = latin1Of(bytes, at, at + 300).split("\r\n", 1)[0] ?? "";
  const cut = at + line.length === bytes.length;
  return STORE_LINE.test(line) || OTHER_LINE.test(line) || (cut && BEGUN_LINE.test(line));
}

function probeBinary(bytes: Uint8Array, length: number, magic: number): Claim {
  if (bytes.length < 24) return NO;
  const body = ((bytes[8] ?? 0) << 24 | (bytes[9] ?? 0) << 16 | (bytes[10] ?? 0) << 8 |
    (bytes[11] ?? 0)) >>> 0;
  const key = (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0);
  const extras = bytes[4] ?? 0;
  const known = bytes[5] === 0 && isBinaryHead(magic, bytes[1] ?? 255, key, extras);
  if (!known || key + extras > body || body + 24 > length) return NO;
  return { kind: magic === 0x80 ? "request" : "response", score: 88 };
}
