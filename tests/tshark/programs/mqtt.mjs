// SPDX-License-Identifier: Apache-2.0
// Mosquitto by mqtt, version 3.1.1 or 5: every quality of service, wildcards, retained messages,
// several topics, unsubscribe, ping.

import { createRequire } from "node:module";
import process from "node:process";

const mqtt = createRequire(`${process.env.MODULES}/`)("mqtt");
const protocolVersion = Number(process.env.VERSION);
const client = await mqtt.connectAsync({
  host: "127.0.0.1",
  port: Number(process.env.PORT),
  clientId: "sensor-1",
  username: "user",
  password: "pass",
  protocolVersion,
  keepalive: 60,
});
let received = 0;
client.on("message", () => received++);
const properties = protocolVersion === 5
  ? { properties: { userProperties: { origin: "test" }, contentType: "text/plain" } }
  : {};
await client.subscribeAsync("rooms/+/temperature", { qos: 1 });
await client.subscribeAsync({ "alarms/#": { qos: 2 }, "status": { qos: 0 } });
await client.publishAsync("rooms/1/temperature", "21", { qos: 0, ...properties });
await client.publishAsync("rooms/2/temperature", "22", { qos: 1, ...properties });
await client.publishAsync("alarms/fire", "no", { qos: 2 });
await client.publishAsync("status", "up", { qos: 0, retain: true });
await client.publishAsync("unheard", "x".repeat(3_000), { qos: 1 });
while (received < 4) await new Promise((resolve) => setTimeout(resolve, 10));
client.sendPing();
await client.unsubscribeAsync("status");
await client.endAsync();
