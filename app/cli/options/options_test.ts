// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { completeInList } from "./complete_in_list.ts";
import { parseDuration } from "./duration.ts";
import { parsePayloadBytes, parsePid, parsePort } from "./numbers.ts";
import { parsePointInTime } from "./point_in_time.ts";
import { parseServiceRule } from "./service_rule.ts";

Deno.test("durations have units and may be put together", () => {
  const cases = { "500ms": 500, "30s": 30_000, "1.5s": 1_500, "5m": 300_000, "1h30m": 5_400_000 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms, text);
  for (const text of ["", "30", "30x", "s", "1h 30m", "-5s", "1e3s"]) {
    assert.throws(() => parseDuration(text), /write it as/, text);
  }
  assert.throws(() => parseDuration("0s"), /longer than nothing/);
  assert.throws(() => parseDuration("400d"), /not be longer/);
});

Deno.test("a rule that names a service holds one fact or several", () => {
  assert.deepEqual(parseServiceRule("db=comm:postgres"), { service: "db", comm: "postgres" });
  assert.deepEqual(parseServiceRule("shop=exe:/usr/bin/node,argument:a=b:c"), {
    service: "shop",
    exe: "/usr/bin/node",
    argument: "a=b:c",
  });
  for (const text of ["", "shop", "shop=", "=comm:x", "shop=node", "shop=comm:", "shop=pid:3"]) {
    assert.throws(() => parseServiceRule(text), /write it as NAME=comm:node/, text);
  }
});

Deno.test("numbers are whole and within bounds", () => {
  assert.equal(parsePort("443"), 443);
  assert.equal(parsePid("1"), 1);
  assert.equal(parsePayloadBytes("0"), 0);
  for (const text of ["0", "65536", "80.5", "-1", "http", ""]) {
    assert.throws(() => parsePort(text), /whole number from 1 to 65535/, text);
  }
});

Deno.test("the last name of a list is completed, without those that are there", () => {
  const names = ["handback", "handoff", "identity"];
  assert.deepEqual(completeInList("han", names), ["handback", "handoff"]);
  assert.deepEqual(completeInList("handoff,Han", names), ["handoff,handback"]);
  assert.deepEqual(completeInList("x", names), []);
});

Deno.test("points in time are an age, a date or Unix nanoseconds", () => {
  const nowMs = Date.UTC(2026, 0, 31, 12);
  const noon = BigInt(nowMs) * 1_000_000n;
  assert.equal(parsePointInTime("10m", nowMs), noon - 600_000_000_000n);
  assert.equal(parsePointInTime("2026-01-31T12:00:00Z", nowMs), noon);
  assert.equal(parsePointInTime("2026-01-31T13:00:00+01:00", nowMs), noon);
  assert.equal(parsePointInTime(String(noon), nowMs), noon);
  for (const text of ["noon", "", "12:00", "2026-13-45"]) {
    assert.throws(() => parsePointInTime(text, nowMs), /how long ago/, text);
  }
});
