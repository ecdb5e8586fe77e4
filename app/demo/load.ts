// SPDX-License-Identifier: Apache-2.0
// The customers of the demo shop: an even stream of requests, bounded in number and in flight.

export interface LoadResult {
  readonly sent: number;
  readonly failed: number;
}

const IN_FLIGHT_MAX = 64;
const REQUEST_MS_MAX = 5_000;

/** Sends `perSecond` requests a second until `durationMs` are over or the signal is aborted. */
export async function driveLoad(
  url: string,
  { perSecond, durationMs, signal }: {
    readonly perSecond: number;
    readonly durationMs: number;
    readonly signal: AbortSignal;
  },
): Promise<LoadResult> {
  let [sent, failed] = [0, 0];
  const inFlight = new Set<Promise<void>>();
  const startMs = performance.now();
  while (!signal.aborted && performance.now() - startMs < durationMs) {
    const due = Math.floor((performance.now() - startMs) / 1000 * perSecond) + 1;
    while (sent < due && inFlight.size < IN_FLIGHT_MAX) {
      const request = visit(url, sent++).then((isOk) => {
        if (!isOk) failed++;
        inFlight.delete(request);
      });
      inFlight.add(request);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(inFlight);
  return { sent, failed };
}

/** The n-th request: mostly looking, sometimes searching or buying, rarely a wrong turn. */
function requestOf(n: number): { method: string; path: string } {
  const product = 1 + (n * 7919) % 500;
  const kind = (n * 37) % 100;
  if (kind < 8) return { method: "GET", path: "/" };
  if (kind < 14) return { method: "GET", path: `/api/search?q=${["chair", "lamp"][n % 2]}` };
  if (kind < 32) return { method: "POST", path: `/api/orders/${product}` };
  if (kind < 34) return { method: "GET", path: `/api/products/9999` };
  return { method: "GET", path: `/api/products/${1 + product % 40}` };
}

async function visit(url: string, n: number): Promise<boolean> {
  const { method, path } = requestOf(n);
  try {
    const response = await fetch(url + path, {
      method,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}
