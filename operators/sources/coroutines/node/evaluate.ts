// SPDX-License-Identifier: Apache-2.0
// Has a program's debugger evaluate an expression: finds it by HTTP, asks it by WebSocket, leaves.

import type { PortConnection } from "../../../../ffi/runtimes/debugger_port.ts";
import { textFrame, textMessages } from "./websocket_frames.ts";

export interface Debugger {
  /** A new connection to its port. */
  readonly connect: () => PortConnection;
  readonly port: number;
  /** Lets time pass between two looks; throws when it has been long enough. */
  readonly pause: () => Promise<void>;
}

const ANSWER_BYTES_MAX = 1 << 20;
const ASKED = 1;

/** The value, which must be a text. Throws where the expression does. */
export async function evaluate(target: Debugger, expression: string): Promise<string> {
  const path = await findPath(target);
  using connection = target.connect();
  await send(connection, requestText(target, path, upgrade), target);
  let bytes = new Uint8Array();
  let opened = -1;
  while (opened < 0) {
    bytes = await more(connection, bytes, target);
    opened = endOfHead(bytes);
  }
  if (!headText(bytes).startsWith("HTTP/1.1 101 ")) throw refused(headText(bytes));
  const params = { expression, includeCommandLineAPI: true, returnByValue: true };
  const asked = { id: ASKED, method: "Runtime.evaluate", params };
  await send(connection, textFrame(JSON.stringify(asked)), target);
  for (;;) {
    for (const message of textMessages(bytes.subarray(opened))) {
      const answer: unknown = JSON.parse(message);
      if (isAnswer(answer)) return valueIn(answer);
    }
    bytes = await more(connection, bytes, target);
  }
}

/** The debugger answers to a path that nobody can guess, and tells it those who ask. */
async function findPath(target: Debugger): Promise<string> {
  using connection = target.connect();
  await send(connection, requestText(target, "/json/list", "Connection: close"), target);
  let bytes = new Uint8Array();
  for (;;) {
    bytes = await more(connection, bytes, target);
    const text = headText(bytes);
    const [, path] = /"webSocketDebuggerUrl":\s*"ws:\/\/[^/"]+(\/[^"]+)"/.exec(text) ?? [];
    if (path !== undefined) return path;
  }
}

const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"A".repeat(22)}==`;

function requestText({ port }: Debugger, path: string, words: string): Uint8Array<ArrayBuffer> {
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${words}\r\n\r\n`;
  return new TextEncoder().encode(head);
}

async function send(
  connection: PortConnection,
  bytes: Uint8Array<ArrayBuffer>,
  { pause }: Debugger,
): Promise<void> {
  while (!connection.write(bytes)) await pause();
}

/** What was read so far, and what comes next. */
async function more(
  connection: PortConnection,
  before: Uint8Array<ArrayBuffer>,
  { pause }: Debugger,
): Promise<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const read = connection.read();
    if (read === null) throw new Error("its debugger hung up");
    if (before.length + read.length > ANSWER_BYTES_MAX) {
      throw new Error("its debugger says too much");
    }
    if (read.length > 0) {
      const all = new Uint8Array(before.length + read.length);
      all.set(before);
      all.set(read, before.length);
      return all;
    }
    await pause();
  }
}

const headText = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

function endOfHead(bytes: Uint8Array): number {
  const at = headText(bytes).indexOf("\r\n\r\n");
  return at < 0 ? -1 : at + 4;
}

interface Answer {
  readonly id: number;
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  };
}

const isAnswer = (message: unknown): message is Answer =>
  typeof message === "object" && message !== null && "id" in message && message.id === ASKED;

function valueIn({ result }: Answer): string {
  const value = result?.result?.value;
  if (typeof value === "string") return value;
  const why = result?.exceptionDetails?.exception?.description ?? "it gave no text";
  throw new Error(`the script failed in it: ${why.split("\n", 1)[0]}`);
}

const refused = (head: string) => new Error(`its debugger refused: ${head.split("\r\n", 1)[0]}`);
