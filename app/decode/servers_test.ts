// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { MessageSeen } from "../../model/message.ts";
import { wireChain } from "../../tests/support/wire/wire_chain.ts";
import { Conversation } from "../../tests/support/wire/conversation.ts";
import { Servers } from "./servers.ts";

/** Messages of a talk that was joined midway, whose server has the port of a client. */
function messages(role: "unknown" | "server"): MessageSeen[] {
  const local = { ip: "10.0.0.1", port: 40_000 }, peer = { ip: "10.0.0.2", port: 30_120 };
  const talk = new Conversation({ role, local, peer, joinedMidstream: true });
  const chain = wireChain();
  chain.push(talk.call("egress", "GET / HTTP/1.1\r\n\r\n"));
  chain.push(talk.call("ingress", "HTTP/1.1 204 No Content\r\n\r\n"));
  chain.end();
  return chain.messages.filter((event) => event.kind === "message");
}

Deno.test("who is asked is the server, whatever ports had suggested", () => {
  const servers = new Servers();
  const ports = messages("unknown").map((seen) => servers.sided(seen).local.port);
  assert.deepEqual(ports, [30_120, 30_120]);
});

Deno.test("a role that is known is not asked about", () => {
  const servers = new Servers();
  for (const seen of messages("server")) assert.equal(servers.sided(seen), seen.connection);
});
