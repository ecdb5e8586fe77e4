// SPDX-License-Identifier: Apache-2.0
// `sql`: rows in three forms, a prompt, and nothing but reading.

import assert from "node:assert/strict";
import { openStore } from "../../queries/store/store.ts";
import { fixtureSpan } from "../../model/span_fixture.ts";
import { e2e } from "../support/e2e.ts";
import { commandLine, runSpandrel } from "../support/spandrel.ts";
import { openTerminal } from "../support/tmux.ts";

/** Calls `use` with a file that holds three spans of two services. */
async function withStore(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-sql-" });
  try {
    const path = `${folder}/spans.duckdb`;
    const store = await openStore({ path });
    const spans = ["web", "web", "db"].map((service, i) =>
      fixtureSpan({ service, span_id: BigInt(i + 1) })
    );
    await store.insertSpans(spans.map((span) => ({ span, candidates: [] })));
    await store.close();
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const COUNT = "SELECT service, count(*) AS n FROM spans GROUP BY 1 ORDER BY 1";

e2e("sql: a table, JSON or CSV", { needs: [] }, async () => {
  await withStore(async (path) => {
    const rows = async (...options: string[]) =>
      (await runSpandrel(["sql", "--db", path, ...options, COUNT])).stdout;
    assert.equal(await rows(), "service  n\n───────  ─\ndb       1\nweb      2\n2 rows\n");
    assert.equal(await rows("--json"), '{"service":"db","n":1}\n{"service":"web","n":2}\n');
    assert.equal(await rows("--csv"), "service,n\ndb,1\nweb,2\n");
  });
});

e2e("sql: it only reads, in bounded time", { needs: [] }, async () => {
  await withStore(async (path) => {
    const refused = async (statement: string, ...options: string[]) => {
      const { code, stdout, stderr } = await runSpandrel([
        "sql",
        "--db",
        path,
        ...options,
        statement,
      ]);
      assert.equal(code, 1, statement);
      assert.equal(stdout, "");
      return stderr;
    };
    assert.match(await refused("DROP TABLE store_meta"), /^Cannot run DROP: queries only read/);
    assert.match(await refused("ATTACH '/tmp/x.db'"), /^Cannot run ATTACH/);
    assert.match(
      await refused("FROM read_csv('/etc/passwd')"),
      /file system operations are disabled/,
    );
    assert.match(await refused("SELECT nothing FROM spans"), /nothing/);
    const endless = "SELECT count(*) FROM range(10000000000) a, range(1000) b";
    assert.match(await refused(endless, "--timeout", "1s"), /runs longer than 1 s/);
  });
});

e2e("sql: the prompt completes, keeps a history and explains the tables", {
  needs: ["tmux"],
}, async () => {
  await withStore(async (path) => {
    const home = path.replace(/\/[^/]*$/, "");
    const open = () => openTerminal(commandLine(["sql", "--db", path]), { env: { HOME: home } });
    {
      await using terminal = await open();
      await terminal.screenWith(/^sql> $|^sql>$/m);
      await terminal.press("-l", ".tables");
      await terminal.press("Enter");
      await terminal.screenWith(/^spans +one row per span/m);
      await terminal.press("-l", "SELECT count(*) AS n FROM sto");
      await terminal.press("Tab");
      await terminal.screenWith(/FROM store_meta/);
      await terminal.press("-l", ";");
      await terminal.press("Enter");
      await terminal.screenWith(/^1 row$/m);
      await terminal.press("C-d");
      assert.equal(await terminal.ended(), 0);
    }
    await using again = await open();
    await again.screenWith(/^sql>/m);
    await again.press("Up");
    await again.screenWith(/^sql> SELECT count\(\*\) AS n FROM store_meta;$/m);
    await again.press("C-c", "C-d");
    assert.equal(await again.ended(), 0);
  });
});
