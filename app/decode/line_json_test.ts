// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LineBytes } from "../export/line_bytes.ts";
import type { DecodeLine } from "./decode_line.ts";
import { writeLineJson } from "./line_json.ts";

const LINE: DecodeLine = {
  unixNs: 1_793_404_800_000_000_007n,
  flow: "10.0.0.1:40000 -> [2001:db8::1]:80",
  direction: "to_server",
  protocol: "http",
  message: "request",
  request_type: "GET",
  resource: '/größe?q="a\\b"\n',
  domain: "shop.test",
  endpoint: "/",
  response_code: null,
  status: "unknown",
  request_id: null,
  trace_id: null,
  parent_span_id: null,
  x_request_id: null,
  attributes: {},
  bytes: 120,
  clipped: false,
};

const LINES: readonly DecodeLine[] = [
  LINE,
  { ...LINE, unixNs: -1n },
  { ...LINE, direction: "to_client", message: "response", response_code: -7, status: "ok" },
  // The same ends speak another protocol, and other ends are told apart by what follows the client.
  { ...LINE, protocol: "websocket", message: "oneway", clipped: true },
  { ...LINE, flow: "10.0.0.1:40000 -> 10.0.0.2:80" },
  { ...LINE, request_id: "9", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" },
  { ...LINE, parent_span_id: "00f067aa0ba902b7", x_request_id: 'x"y' },
  { ...LINE, attributes: { method: "GET", port: 8_080, share: 0.5, none: NaN, whole: true } },
];

Deno.test("a line is what JSON makes of its keys, the time in front as text", () => {
  const lines = new LineBytes();
  for (const line of [...LINES, ...LINES.toReversed()]) {
    writeLineJson(line, lines);
    const { unixNs, ...others } = line;
    assert.equal(lines.text(), JSON.stringify({ time: `${unixNs}`, ...others }) + "\n");
    lines.clear();
  }
});
