// SPDX-License-Identifier: Apache-2.0
// SMTP by nodemailer and smtp-server: a letter, several receivers, one refused, a login, a reset.

import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(`${process.env.MODULES}/`);
const port = Number(process.env.PORT);

if (process.env.SERVER === "yes") {
  const { SMTPServer } = require("smtp-server");
  new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    allowInsecureAuth: true,
    onAuth: (_login, _session, done) => done(null, { user: "user" }),
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith("no") ? new Error("no such mailbox") : null),
    onData(stream, _session, done) {
      stream.on("end", done);
      stream.resume();
    },
  }).listen(port, "127.0.0.1");
} else {
  const { createTransport } = require("nodemailer");
  const where = { host: "127.0.0.1", port, ignoreTLS: true };
  const letter = { from: "a@from.test", subject: "greetings", text: "Hello\n.\nthere\n" };
  const plain = createTransport(where);
  await plain.sendMail({ ...letter, to: "b@to.test" });
  await plain.sendMail({ ...letter, to: ["c@to.test", "no@to.test"], text: "z\n".repeat(2_000) });
  await plain.sendMail({ ...letter, to: "nobody@to.test" }).catch(() => {});
  const user = { user: "user", pass: "secret" };
  const pooled = createTransport({ ...where, auth: user, pool: true, maxConnections: 1 });
  await pooled.sendMail({ ...letter, to: "d@to.test" });
  await pooled.sendMail({ ...letter, to: "e@to.test" });
  pooled.close();
}
