// SPDX-License-Identifier: Apache-2.0
// Load of a fixed number of clients, each with one request under way: HTTP/1 over connections that
// stay open where the server lets them, written by hand so that each client is one connection. A
// client does not wait for the answer of a plan that ends in !, and is gone after a few ms.

export interface Load {
  readonly port: number;
  readonly clients: number;
  readonly requests: number;
  readonly plans: readonly string[];
  /** Requests that a client sends at once, before it reads the answers; 1 if not given. */
  readonly pipelined?: number;
  /** Each request carries an X-Request-ID of its own. */
  readonly withIds?: boolean;
}

/** Between two requests of one client, on average; so that clients do not run in step. */
const thinkMsMean = 2;
/** A client that does not wait is gone after so long at most. */
const leavesAfterMsMax = 4;

/** Sends the requests and returns the tokens that they carried. */
export async function driveLoad(load: Load): Promise<Set<string>> {
  const { port, clients, requests, plans, pipelined = 1, withIds = false } = load;
  const tokens = new Set<string>();
  const client = async (): Promise<void> => {
    const connection = openClient(port);
    try {
      while (tokens.size < requests) {
        const paths = Array.from({ length: pipelined }, () => {
          const token = randomToken();
          tokens.add(token);
          return `/${plans[Math.floor(Math.random() * plans.length)]}/${token}`;
        });
        await connection.ask(paths, withIds);
        await pause(-Math.log(1 - Math.random()) * thinkMsMean);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return tokens;
}

export function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(6)).toHex();
}

function openClient(port: number) {
  let connection: Deno.TcpConn | null = null;
  const buffer = new Uint8Array(4096);

  const close = () => {
    connection?.close();
    connection = null;
  };
  return {
    close,
    async ask(paths: readonly string[], withIds: boolean): Promise<void> {
      connection ??= await Deno.connect({ hostname: "127.0.0.1", port });
      connection.setNoDelay();
      await connection.write(requestsFor(paths, withIds));
      if (paths.some((path) => path.includes("!"))) {
        await pause(leavesAfterMsMax * Math.random());
        return close();
      }
      let text = "";
      for (const path of paths) {
        while (lengthOfWhole(text) === 0) {
          const read = await connection.read(buffer);
          if (read === null) throw new Error(`Cannot ask ${path}: closed after "${text}"`);
          text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
        }
        if (!/^HTTP\/1\.[01] 200 /.test(text)) {
          throw new Error(`Cannot ask ${path}: the answer is ${text.slice(0, 200)}`);
        }
        if (/^HTTP\/1\.0|\r\nconnection: close\r\n/i.test(text)) return close();
        text = text.slice(lengthOfWhole(text));
      }
    },
  };
}

function requestsFor(paths: readonly string[], withIds: boolean): Uint8Array<ArrayBuffer> {
  const id = () => withIds ? `X-Request-ID: ${crypto.randomUUID()}\r\n` : "";
  const texts = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: shop\r\n${id()}\r\n`);
  return new TextEncoder().encode(texts.join(""));
}

/** Of the first answer: the head and as much body as it announces; 0 while it is not there. */
function lengthOfWhole(text: string): number {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return 0;
  const head = text.slice(0, headEnd + 2);
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) {
    const last = text.indexOf("\r\n0\r\n\r\n", headEnd);
    return last < 0 ? 0 : last + 7;
  }
  const announced = /\r\ncontent-length: (\d+)/i.exec(head);
  const length = headEnd + 4 + Number(announced?.[1]);
  return text.length >= length ? length : 0;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
