// SPDX-License-Identifier: Apache-2.0
// The format of golden fixtures: bytes of a protocol, and the messages that they are.
//
//   # A comment.
//   ! transport udp            before the first case: tcp if absent
//   @ caption of a case
//   > GET / HTTP/1.1\r\n       bytes to the server; further lines add to the same call
//   > \r\n
//                              an empty line, or a change of direction, ends the call
//   < HTTP/1.1 200 OK\r\n…     bytes to the client
//   <x 48 54 54 50             the same in hexadecimal
//   <~ 3000                    3,000 bytes that passed but were not captured end the call
//   ! eof down | eof up | close | reset      what happens after the bytes so far
//   ! unprobed                 in a case: its calls are not shown to the probes
//   = {"up":"request", …}      one line per message, written by UPDATE_GOLDEN=1
//
// Escapes in text: \r \n \t \0 \\ \xNN; every other character is its byte (UTF-8).

export interface Fixture {
  /** Name of the protocol: that of the file. */
  readonly protocol: string;
  readonly transport: "tcp" | "udp";
  readonly cases: readonly Case[];
}

export interface Case {
  readonly caption: string;
  readonly steps: readonly Step[];
  readonly probed: boolean;
  readonly expected: readonly string[];
}

export type Step =
  | { readonly kind: "call"; readonly up: boolean; readonly bytes: Uint8Array; length: number }
  | { readonly kind: "end"; readonly what: "eof up" | "eof down" | "close" | "reset" };

export function parseFixture(protocol: string, text: string): Fixture {
  let transport: "tcp" | "udp" = "tcp";
  const cases: { caption: string; steps: Step[]; probed: boolean; expected: string[] }[] = [];
  let open: { up: boolean; bytes: number[]; length: number } | null = null;
  const endCall = () => {
    if (open === null) return;
    const bytes = Uint8Array.from(open.bytes);
    cases.at(-1)?.steps.push({ kind: "call", up: open.up, bytes, length: open.length });
    open = null;
  };
  for (const [index, line] of text.split("\n").entries()) {
    const fail = (why: string) => new Error(`Cannot read ${protocol}.txt:${index + 1}: ${why}`);
    const sign = line[0];
    if (sign === "#") continue;
    if (sign === undefined) {
      endCall();
      continue;
    }
    const current = cases.at(-1);
    if (sign === ">" || sign === "<") {
      const up = sign === ">";
      if (current === undefined) throw fail("bytes before the first case");
      if (open !== null && (open as { up: boolean }).up !== up) endCall();
      const call: { up: boolean; bytes: number[]; length: number } = open ??= {
        up,
        bytes: [],
        length: 0,
      };
      const bytes = bytesOf(line);
      if (typeof bytes === "number") {
        call.length += bytes;
        endCall();
      } else if (bytes === null) throw fail("neither text, hexadecimal nor a count");
      else {
        call.bytes.push(...bytes);
        call.length += bytes.length;
      }
      continue;
    }
    endCall();
    const rest = line.slice(2).trim();
    if (sign === "@") cases.push({ caption: rest, steps: [], probed: true, expected: [] });
    else if (sign === "=") current?.expected.push(rest);
    else if (sign === "!" && rest === "transport udp") transport = "udp";
    else if (sign === "!" && rest === "unprobed" && current !== undefined) current.probed = false;
    else if (sign === "!" && isEnd(rest)) current?.steps.push({ kind: "end", what: rest });
    else throw fail(`unknown line ${line}`);
  }
  endCall();
  return { protocol, transport, cases };
}

function isEnd(text: string): text is "eof up" | "eof down" | "close" | "reset" {
  return text === "eof up" || text === "eof down" || text === "close" || text === "reset";
}

/** A number: so many bytes that were not captured. */
function bytesOf(line: string): number[] | number | null {
  if (line[1] === "~") return Number(line.slice(2));
  if (line[1] === "x") {
    const digits = line.slice(2).replaceAll(/\s/g, "");
    if (!/^([0-9a-fA-F]{2})*$/.test(digits)) return null;
    return (digits.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
  }
  if (line[1] !== " ") return line.length === 1 ? [] : null;
  const escaped = line.slice(2).replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|(.))/g,
    (_all, hex: string | undefined, letter: string) =>
      // A private character per byte keeps bytes above 0x7f apart from text.
      String.fromCharCode(0xe000 + (hex === undefined ? letterByte(letter) : parseInt(hex, 16))),
  );
  const bytes: number[] = [];
  for (const character of escaped) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xe000 && code <= 0xe0ff) bytes.push(code - 0xe000);
    else bytes.push(...new TextEncoder().encode(character));
  }
  return bytes;
}

function letterByte(letter: string): number {
  const at = "rnt0\\".indexOf(letter);
  if (at < 0) throw new Error(`Cannot read a fixture: unknown escape \\${letter}`);
  return [0x0d, 0x0a, 0x09, 0, 0x5c][at] as number;
}

/** The text of the file with the expectations of each case replaced. */
export function withExpected(text: string, expected: readonly (readonly string[])[]): string {
  const out: string[] = [];
  let index = -1;
  const finish = () => {
    while (index >= 0 && out.at(-1) === "") out.pop();
    for (const line of expected[index] ?? []) out.push(`= ${line}`);
    if (index >= 0) out.push("");
  };
  for (const line of text.split("\n")) {
    if (line.startsWith("@")) {
      // Comments right above a caption belong to it.
      const comments: string[] = [];
      while (out.at(-1)?.startsWith("#") === true && index >= 0) comments.unshift(out.pop() ?? "");
      finish();
      index++;
      out.push(...comments, line);
    } else if (!line.startsWith("=")) out.push(line);
  }
  finish();
  return out.join("\n").trimEnd() + "\n";
}
