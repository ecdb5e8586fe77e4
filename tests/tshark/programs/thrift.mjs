// SPDX-License-Identifier: Apache-2.0
// Thrift by its library without generated code: calls, an exception, a one-way call, binary and
// compact, framed or not.

import { createRequire } from "node:module";
import net from "node:net";
import process from "node:process";

const thrift = createRequire(`${process.env.MODULES}/`)("thrift");
const { PORT, FRAMED, COMPACT } = process.env;
const Transport = FRAMED === "yes" ? thrift.TFramedTransport : thrift.TBufferedTransport;
const Protocol = COMPACT === "yes" ? thrift.TCompactProtocol : thrift.TBinaryProtocol;
const { MessageType, Type } = thrift.Thrift;

/** The bytes of one message: a struct with one text. */
function encoded(name, type, id, text) {
  let bytes = Buffer.alloc(0);
  const transport = new Transport(null, (written) => bytes = Buffer.concat([bytes, written]));
  const protocol = new Protocol(transport);
  protocol.writeMessageBegin(name, type, id);
  protocol.writeStructBegin("args");
  protocol.writeFieldBegin("text", Type.STRING, type === MessageType.REPLY ? 0 : 1);
  protocol.writeString(text);
  protocol.writeFieldEnd();
  if (type === MessageType.EXCEPTION) {
    protocol.writeFieldBegin("type", Type.I32, 2);
    protocol.writeI32(1);
    protocol.writeFieldEnd();
  }
  protocol.writeFieldStop();
  protocol.writeStructEnd();
  protocol.writeMessageEnd();
  transport.flush();
  return bytes;
}

const calls = ["ping", "getUser", "nope", "getUser", "log"];
if (process.env.SERVER === "yes") {
  net.createServer((socket) => {
    let n = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      const name = calls[n++];
      if (name === "log") return;
      const type = name === "nope" ? MessageType.EXCEPTION : MessageType.REPLY;
      socket.write(encoded(name, type, n, name === "nope" ? "Unknown method nope" : "fine"));
    });
  }).listen(Number(PORT), "127.0.0.1");
} else {
  const socket = net.connect(Number(PORT), "127.0.0.1");
  let id = 0;
  for (const name of calls) {
    const isOneWay = name === "log";
    const type = isOneWay ? MessageType.ONEWAY : MessageType.CALL;
    const answered = isOneWay ? null : new Promise((resolve) => socket.once("data", resolve));
    await new Promise((resolve) => socket.write(encoded(name, type, ++id, "a text"), resolve));
    await answered;
  }
  await new Promise((resolve) => socket.end(resolve));
}
