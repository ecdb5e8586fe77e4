// SPDX-License-Identifier: Apache-2.0
// Alerts on slow SQL: at once, then silent about the same statement for a minute.
//
//     deno task trace --pipeline examples/slow_sql.ts

import { type Flow, type KeyedOperator, MILLISECOND, MINUTE, type Span } from "spandrel";

const slowNs = 100n * MILLISECOND;
const durationNs = (span: Span) => span.end_unix_ns - span.start_unix_ns;
const isSql = (span: Span) => span.protocol === "postgresql" || span.protocol === "mysql";

const alert: KeyedOperator<string, Span, { more: number }, object> = {
  name: "alert",
  limits: [],
  open: (_, { emit, setTimer, forget }) => ({
    start(statement, span) {
      setTimer(statement, span.end_unix_ns + MINUTE);
      const ms = Number(durationNs(span) / MILLISECOND);
      emit({ alert: "slow_sql", statement, ms, client: span.service, server: span.peer });
      return { more: -1 };
    },
    push(state) {
      state.more++;
    },
    timer(state, statement) {
      if (state.more > 0) emit({ alert: "slow_sql_again", statement, times: state.more });
      forget(statement);
    },
  }),
};

export default function slowSql(spans: Flow<Span>): Flow<unknown> {
  return spans
    .filter((span) => isSql(span) && span.kind === "client", "sql")
    .filter((span) => durationNs(span) >= slowNs, "slow")
    .keyed((span) => span.endpoint || span.resource, { keysMax: 1_000 })
    .through(alert);
}
