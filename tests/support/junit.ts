// SPDX-License-Identifier: Apache-2.0
// One JUnit report out of several: each lane of tests writes its own, CI wants a single file.

/** Joins the test suites of reports that `deno test --junit-path` wrote. */
export function mergeJunit(reports: readonly string[]): string {
  const suites = reports.flatMap((report) =>
    report.match(/<testsuite [\s\S]*?<\/testsuite>/g) ?? []
  );
  const sum = (attribute: string) =>
    suites.reduce((total, suite) => {
      const value = new RegExp(`<testsuite [^>]*\\b${attribute}="(\\d+)"`).exec(suite)?.[1];
      return total + Number(value ?? 0);
    }, 0);
  const counts = ["tests", "failures", "errors"].map((name) => `${name}="${sum(name)}"`).join(" ");
  const body = suites.map((suite) => `  ${suite}\n`).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<testsuites name="spandrel" ${counts}>\n${body}</testsuites>\n`;
}
