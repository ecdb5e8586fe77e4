// SPDX-License-Identifier: Apache-2.0
// FTP by basic-ftp and ftp-srv: login, folders, a file there and back, errors.

import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { Readable, Writable } from "node:stream";

const require = createRequire(`${process.env.MODULES}/`);
const port = Number(process.env.PORT);

if (process.env.SERVER === "yes") {
  const { FtpSrv } = require("ftp-srv");
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "spandrel-ftp-"));
  const options = { url: `ftp://127.0.0.1:${port}`, pasv_url: "127.0.0.1" };
  const server = new FtpSrv({ ...options, anonymous: false });
  server.on(
    "login",
    ({ username }, accept, refuse) =>
      username === "user" ? accept({ root }) : refuse(new Error("who?")),
  );
  await server.listen();
  process.on("SIGTERM", () => {
    fs.rmSync(root, { recursive: true });
    process.exit(0);
  });
} else {
  const { Client } = require("basic-ftp");
  const stranger = new Client(2_000);
  const where = { host: "127.0.0.1", port };
  await stranger.access({ ...where, user: "nobody", password: "x" }).catch(() => {});
  stranger.close();
  const client = new Client(2_000);
  await client.access({ ...where, user: "user", password: "secret" });
  await client.send("MKD shop");
  await client.cd("/shop");
  await client.uploadFrom(Readable.from(["hello\n"]), "a.txt");
  await client.list();
  await client.downloadTo(new Writable({ write: (_data, _encoding, done) => done() }), "a.txt");
  await client.rename("a.txt", "b.txt");
  await client.size("b.txt");
  await client.send("DELE none.txt").catch(() => {});
  await client.remove("b.txt");
  client.close();
}
