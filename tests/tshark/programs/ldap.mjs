// SPDX-License-Identifier: Apache-2.0
// LDAP by ldapjs, client and server: bind, search, changes, refusals.

import { createRequire } from "node:module";
import process from "node:process";

const ldap = createRequire(`${process.env.MODULES}/`)("ldapjs");
const port = Number(process.env.PORT);

if (process.env.SERVER === "yes") {
  const server = ldap.createServer();
  const base = "dc=test";
  const people = ["alice", "bob"].map((uid) => ({
    dn: `uid=${uid},ou=people,dc=test`,
    attributes: { uid, objectclass: ["person"], mail: `${uid}@x.test` },
  }));
  server.bind(
    base,
    (request, response, next) =>
      request.credentials === "secret"
        ? (response.end(), next())
        : next(new ldap.InvalidCredentialsError("wrong")),
  );
  server.search(base, (request, response, next) => {
    if (request.dn.toString().includes("nowhere")) return next(new ldap.NoSuchObjectError("none"));
    for (const one of people) if (request.filter.matches(one.attributes)) response.send(one);
    response.end();
    return next();
  });
  for (const name of ["add", "modify", "del", "compare"]) {
    server[name](base, (_request, response, next) => {
      response.end(name === "compare" ? 6 : 0);
      return next();
    });
  }
  server.listen(port, "127.0.0.1");
} else {
  const client = ldap.createClient({ url: `ldap://127.0.0.1:${port}` });
  const call = (name, ...args) =>
    new Promise((resolve) => client[name](...args, (_error, result) => resolve(result)));
  const search = async (base, options) => {
    const found = await call("search", base, options);
    await new Promise((resolve) => {
      for (const end of ["end", "error"]) found.on(end, resolve);
      found.on("searchEntry", () => {});
    });
  };
  await call("bind", "cn=admin,dc=test", "wrong");
  await call("bind", "cn=admin,dc=test", "secret");
  await search("ou=people,dc=test", { scope: "sub", filter: "(uid=alice)", attributes: ["mail"] });
  await search("ou=people,dc=test", { scope: "one", filter: "(objectclass=person)" });
  await search("ou=nowhere,dc=test", { scope: "base", filter: "(objectclass=*)" });
  await call("add", "uid=carol,ou=people,dc=test", { uid: "carol", objectclass: "person" });
  const type = new ldap.Attribute({ type: "mail", values: ["c@x.test"] });
  const change = new ldap.Change({ operation: "replace", modification: type });
  await call("modify", "uid=carol,ou=people,dc=test", change);
  await call("compare", "uid=carol,ou=people,dc=test", "uid", "carol");
  await call("del", "uid=carol,ou=people,dc=test");
  client.unbind();
}
