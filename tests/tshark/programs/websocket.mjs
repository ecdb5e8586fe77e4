// SPDX-License-Identifier: Apache-2.0
// WebSocket by ws, client and server: text, binary, fragments, compression, ping, close.

import { createRequire } from "node:module";
import process from "node:process";

const { WebSocket, WebSocketServer } = createRequire(`${process.env.MODULES}/`)("ws");
const port = Number(process.env.PORT);

if (process.env.SERVER === "yes") {
  const server = new WebSocketServer({ host: "127.0.0.1", port });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("ping", () => socket.ping("back"));
  });
} else {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`, { perMessageDeflate: false });
  const opened = new Promise((resolve) => socket.on("open", resolve));
  await opened;
  const answer = () => new Promise((resolve) => socket.once("message", resolve));
  const say = async (data, options) => {
    const answered = answer();
    socket.send(data, options);
    await answered;
  };
  await say("hello");
  await say(Buffer.from([1, 2, 3]));
  await say("x".repeat(300));
  await say("y".repeat(70_000));
  const pinged = new Promise((resolve) => socket.once("ping", resolve));
  socket.ping("there?");
  await pinged;
  const parts = answer();
  socket.send("first ", { fin: false });
  socket.send("second ", { fin: false });
  socket.send("third", { fin: true });
  await parts;
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.close(1001, "going");
  await closed;
}
