// SPDX-License-Identifier: Apache-2.0
// MongoDB by its driver, against a small server that answers as mongod does.

import { createRequire } from "node:module";
import net from "node:net";
import process from "node:process";

const require = createRequire(`${process.env.MODULES}/`);
const port = Number(process.env.PORT);

if (process.env.SERVER === "yes") serve(require("bson"));
else await use(require("mongodb"));

async function use({ MongoClient }) {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    monitorCommands: false,
    maxPoolSize: 1,
    heartbeatFrequencyMS: 60_000,
    serverMonitoringMode: "poll",
  });
  const orders = client.db("shop").collection("orders");
  await orders.insertOne({ _id: 1, item: "pen", price: 2 });
  await orders.insertMany([{ _id: 2, item: "ink" }, { _id: 3, item: "x".repeat(2_000) }]);
  await orders.findOne({ _id: 1 });
  await orders.find({ price: { $gt: 1 } }).toArray();
  await orders.updateOne({ _id: 1 }, { $set: { price: 3 } });
  await orders.deleteOne({ _id: 2 });
  await orders.aggregate([{ $match: { price: 3 } }]).toArray();
  await orders.countDocuments({});
  await orders.insertOne({ _id: 1 }).catch(() => {});
  await client.db("admin").command({ ping: 1 });
  await client.db("shop").command({ noSuchCommand: 1 }).catch(() => {});
  await client.close();
}

function serve({ serialize, deserialize, Long }) {
  let inserts = 0;
  const answer = (command) => {
    const [name] = Object.keys(command);
    const namespace = `${command.$db}.${command[name]}`;
    switch (name) {
      case "hello":
      case "ismaster":
      case "isMaster":
        return {
          helloOk: true,
          isWritablePrimary: true,
          ismaster: true,
          maxBsonObjectSize: 16_777_216,
          maxMessageSizeBytes: 48_000_000,
          maxWriteBatchSize: 100_000,
          minWireVersion: 0,
          maxWireVersion: 21,
          readOnly: false,
          ok: 1,
        };
      case "insert":
        return ++inserts < 3
          ? { n: 1, ok: 1 }
          : { n: 0, writeErrors: [{ index: 0, code: 11_000, errmsg: "duplicate key" }], ok: 1 };
      case "find":
      case "aggregate":
        return { cursor: { firstBatch: [{ _id: 1, n: 1 }], id: Long.ZERO, ns: namespace }, ok: 1 };
      case "update":
        return { n: 1, nModified: 1, ok: 1 };
      case "delete":
      case "ping":
      case "endSessions":
        return { n: 1, ok: 1 };
      default:
        return {
          ok: 0,
          code: 59,
          codeName: "CommandNotFound",
          errmsg: `no such command: '${name}'`,
        };
    }
  };
  let replies = 0;
  const head = (length, to, opcode) => {
    const bytes = Buffer.alloc(16);
    [length, ++replies, to, opcode].forEach((value, i) => bytes.writeInt32LE(value, 4 * i));
    return bytes;
  };
  const reply = (message) => {
    const id = message.readInt32LE(4);
    if (message.readInt32LE(12) === 2013) {
      const body = serialize(
        answer(deserialize(message.subarray(21, 21 + message.readInt32LE(21)))),
      );
      return Buffer.concat([head(21 + body.length, id, 2013), Buffer.alloc(5), body]);
    }
    const query = message.indexOf(0, 20) + 9;
    const body = serialize(answer(deserialize(message.subarray(query))));
    const fields = Buffer.alloc(20);
    fields.writeInt32LE(8, 0);
    fields.writeInt32LE(1, 16);
    return Buffer.concat([head(36 + body.length, id, 1), fields, body]);
  };
  net.createServer((socket) => {
    let held = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 4 && held.length >= held.readInt32LE(0)) {
        const message = held.subarray(0, held.readInt32LE(0));
        held = held.subarray(message.length);
        socket.write(reply(message));
      }
    });
  }).listen(port, "127.0.0.1");
}
