// SPDX-License-Identifier: Apache-2.0
// RabbitMQ by amqplib: declare, bind, publish with and without confirms, get, consume, ack, nack,
// an unroutable message that returns, a channel that the server closes.

import { createRequire } from "node:module";
import process from "node:process";

const amqp = createRequire(`${process.env.MODULES}/`)("amqplib");
const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${process.env.PORT}`);
const channel = await connection.createChannel();
await channel.assertExchange("orders", "topic", { durable: false });
await channel.assertQueue("new-orders", { durable: false });
await channel.bindQueue("new-orders", "orders", "order.*");
await channel.prefetch(10);
channel.publish("orders", "order.created", Buffer.from('{"id":1}'), {
  messageId: "m-1",
  correlationId: "c-1",
  contentType: "application/json",
  headers: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
});
channel.publish("orders", "nobody.listens", Buffer.from("lost"), { mandatory: true });
channel.sendToQueue("new-orders", Buffer.from("second"));
channel.sendToQueue("new-orders", Buffer.from("x".repeat(5_000)));
await channel.checkQueue("new-orders");
const first = await channel.get("new-orders");
channel.nack(first, false, true);
await new Promise((resolve) => {
  let left = 3;
  channel.consume("new-orders", (message) => {
    channel.ack(message);
    if (--left === 0) resolve();
  }, { consumerTag: "worker" });
});
await channel.cancel("worker");
await channel.get("new-orders");
const confirms = await connection.createConfirmChannel();
confirms.publish("orders", "order.paid", Buffer.from("paid"));
await confirms.waitForConfirms();
await confirms.close();
const broken = await connection.createChannel();
broken.on("error", () => {});
await broken.checkQueue("no-such-queue").catch(() => {});
await channel.purgeQueue("new-orders");
await channel.deleteQueue("new-orders");
await channel.deleteExchange("orders");
await channel.close();
await connection.close();
