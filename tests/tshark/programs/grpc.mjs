// SPDX-License-Identifier: Apache-2.0
// gRPC by @grpc/grpc-js, client and server: unary, three kinds of streams, errors, a deadline.

import { createRequire } from "node:module";
import process from "node:process";

const grpc = createRequire(`${process.env.MODULES}/`)("@grpc/grpc-js");
const address = `127.0.0.1:${process.env.PORT}`;
const bytes = { serialize: (value) => Buffer.from(value), deserialize: (buffer) => buffer };
const method = (name, requestStream, responseStream) => ({
  path: `/shop.Orders/${name}`,
  requestStream,
  responseStream,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
});
const service = {
  Get: method("Get", false, false),
  Fail: method("Fail", false, false),
  Slow: method("Slow", false, false),
  List: method("List", false, true),
  Collect: method("Collect", true, false),
  Talk: method("Talk", true, true),
};

if (process.env.SERVER === "yes") {
  const server = new grpc.Server();
  server.addService(service, {
    Get: (_call, done) => done(null, "\x0a\x03pen"),
    Fail: (_call, done) => done({ code: grpc.status.NOT_FOUND, details: "no such order" }),
    Slow: () => {},
    List: (call) => {
      for (const item of ["\x0a\x01a", "\x0a\x01b", "\x0a\x01c"]) call.write(item);
      call.end();
    },
    Collect: (call, done) => call.on("data", () => {}).on("end", () => done(null, "\x08\x03")),
    Talk: (call) => call.on("data", (item) => call.write(item)).on("end", () => call.end()),
  });
  const insecure = grpc.ServerCredentials.createInsecure();
  server.bindAsync(address, insecure, (error) => {
    if (error !== null) throw error;
  });
} else {
  const Client = grpc.makeGenericClientConstructor(service, "Orders");
  const client = new Client(address, grpc.credentials.createInsecure());
  const unary = (name, options = {}) =>
    new Promise((resolve) => client[name]("\x0a\x01x", new grpc.Metadata(), options, resolve));
  const ended = (call) =>
    new Promise((resolve) => call.on("data", () => {}).on("error", resolve).on("end", resolve));
  await unary("Get");
  await unary("Get");
  await unary("Fail");
  await ended(client.List("\x0a\x01x"));
  await new Promise((resolve) => {
    const call = client.Collect(resolve);
    for (const item of ["\x0a\x01a", "\x0a\x01b"]) call.write(item);
    call.end();
  });
  const talk = client.Talk();
  const over = ended(talk);
  talk.write("\x0a\x01a");
  talk.write("\x0a\x01b");
  talk.end();
  await over;
  await unary("Slow", { deadline: Date.now() + 200 });
  client.close();
}
