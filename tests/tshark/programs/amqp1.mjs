// SPDX-License-Identifier: Apache-2.0
// AMQP 1.0 by rhea, client and server: open, attach, transfers of all sizes, outcomes, detach.

import { createRequire } from "node:module";
import process from "node:process";

const rhea = createRequire(`${process.env.MODULES}/`)("rhea");
const where = { host: "127.0.0.1", port: Number(process.env.PORT) };
const container = rhea.create_container({ id: process.env.SERVER === "yes" ? "broker" : "client" });

if (process.env.SERVER === "yes") {
  const held = [];
  let waiting = null;
  const hand = () => {
    while (waiting?.sendable() && held.length > 0) waiting.send(held.shift());
  };
  container.on("receiver_open", ({ receiver }) => receiver.set_target(receiver.remote.target));
  container.on("sender_open", ({ sender }) => {
    sender.set_source(sender.remote.source);
    waiting = sender;
  });
  container.on("sendable", hand);
  container.on("message", ({ message, delivery }) => {
    if (message.subject === "bad") return delivery.reject({ condition: "test:bad" });
    held.push(message);
    delivery.accept();
    hand();
  });
  container.listen(where);
} else {
  const connection = container.connect({ ...where, username: "user" });
  const once = (name) => new Promise((resolve) => container.once(name, resolve));
  const sender = connection.open_sender("orders");
  await once("sendable");
  const send = (message, outcome) => {
    const answered = once(outcome);
    sender.send(message);
    return answered;
  };
  await send({ message_id: "m-1", subject: "new", body: "pen" }, "accepted");
  await send({ message_id: "m-2", correlation_id: "c-2", body: { n: 1 } }, "accepted");
  await send({ message_id: "m-3", body: "x".repeat(5_000) }, "accepted");
  await send({ message_id: "m-4", subject: "bad", body: "no" }, "rejected");
  let left = 3;
  const received = new Promise((resolve) =>
    container.on("message", () => {
      if (--left === 0) resolve();
    })
  );
  connection.open_receiver("orders");
  await received;
  const closed = once("connection_close");
  sender.close();
  connection.close();
  await closed;
}
