// SPDX-License-Identifier: Apache-2.0
// Load of a fixed number of clients, each with one request under way: HTTP/1 over connections that
// stay open where the server lets them, written by hand so that each client is one connection.

export interface Load {
  readonly port: number;
  readonly clients: number;
  readonly requests: number;
  readonly plans: readonly string[];
}

/** Between two requests of one client, on average; so that clients do not run in step. */
const thinkMsMean = 2;

/** Sends the requests and returns the tokens that they carried. */
export async function driveLoad({ port, clients, requests, plans }: Load): Promise<Set<string>> {
  const tokens = new Set<string>();
  const client = async (): Promise<void> => {
    const connection = openClient(port);
    try {
      while (tokens.size < requests) {
        const token = randomToken();
        tokens.add(token);
        await connection.ask(`/${plans[Math.floor(Math.random() * plans.length)]}/${token}`);
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
    async ask(path: string): Promise<void> {
      connection ??= await Deno.connect({ hostname: "127.0.0.1", port });
      connection.setNoDelay();
      const request = `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`;
      await connection.write(new TextEncoder().encode(request));
      let text = "";
      while (!isWhole(text)) {
        const length = await connection.read(buffer);
        if (length === null) throw new Error(`Cannot ask ${path}: closed after "${text}"`);
        text += new TextDecoder("latin1").decode(buffer.subarray(0, length));
      }
      if (!/^HTTP\/1\.[01] 200 /.test(text)) {
        throw new Error(`Cannot ask ${path}: the answer is ${text.slice(0, 200)}`);
      }
      if (/^HTTP\/1\.0|\r\nconnection: close\r\n/i.test(text)) close();
    },
  };
}

/** The head and as much body as it announces. */
function isWhole(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(text)) return text.endsWith("0\r\n\r\n");
  const length = /\r\ncontent-length: (\d+)/i.exec(text);
  return length !== null && text.length >= headEnd + 4 + Number(length[1]);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
