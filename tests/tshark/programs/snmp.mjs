// SPDX-License-Identifier: Apache-2.0
// SNMP by net-snmp, client and agent: versions 1 and 2c, get, next, bulk, set, what does not exist.

import { createRequire } from "node:module";
import process from "node:process";

const snmp = createRequire(`${process.env.MODULES}/`)("net-snmp");
const port = Number(process.env.PORT);

if (process.env.SERVER === "yes") {
  const options = { port, address: "127.0.0.1", disableAuthorization: true };
  const agent = snmp.createAgent(options, () => {});
  const mib = agent.getMib();
  const scalar = (name, oid, scalarType, value) => {
    const maxAccess = snmp.MaxAccess["read-write"];
    const type = snmp.MibProviderType.Scalar;
    agent.registerProvider({ name, type, oid, scalarType, maxAccess });
    mib.setScalarValue(name, value);
  };
  scalar("sysDescr", "1.3.6.1.2.1.1.1", snmp.ObjectType.OctetString, "a test agent");
  scalar("sysContact", "1.3.6.1.2.1.1.4", snmp.ObjectType.OctetString, "nobody");
  scalar("count", "1.3.6.1.2.1.1.7", snmp.ObjectType.Integer, 7);
} else {
  for (const version of [snmp.Version1, snmp.Version2c]) {
    const session = snmp.createSession("127.0.0.1", "public", { port, version, retries: 0 });
    const call = (name, ...args) =>
      new Promise((resolve) => session[name](...args, (_error, result) => resolve(result)));
    await call("get", ["1.3.6.1.2.1.1.1.0"]);
    await call("get", ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.7.0"]);
    await call("getNext", ["1.3.6.1.2.1.1"]);
    if (version === snmp.Version2c) await call("getBulk", ["1.3.6.1.2.1.1"], 0, 5);
    const value = "somebody";
    await call("set", [{ oid: "1.3.6.1.2.1.1.4.0", type: snmp.ObjectType.OctetString, value }]);
    await call("get", ["1.3.6.1.9.9.9.0"]);
    session.close();
  }
}
