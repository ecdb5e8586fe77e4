// SPDX-License-Identifier: Apache-2.0
// PostgreSQL: a request is a simple query, or what ends with an Execute; its answer ends with the
// next command's, or when the server is ready again.

import { type Node, nodesNamed, show } from "../../pdml.ts";
import type {
  Draft,
  SharkConnection,
  SharkMessage,
  SharkReader,
  Way,
} from "../../shark_message.ts";

export const postgresql: SharkReader = {
  protocol: "postgresql",
  decodeAs: ["pgsql"],
  parts: ["pgsql"],
  open: connection,
};

function connection(): SharkConnection {
  const statements = new Map<string, string>();
  const portals = new Map<string, string>();
  let answer: SharkMessage | null = null;
  let [rows, isStarting, hasExecuted] = [0, false, false];
  let parsed: string | null = null;
  const login: { user?: string; database?: string } = {};

  const request = (statement: string, name?: string): Draft => ({
    facts: {
      kind: "request",
      type: verbOf(statement),
      resource: statement,
      domain: login.database ?? login.user ?? "",
    },
    fields: { ...login, statement: name === "" ? undefined : name },
  });

  function takeRequest(part: Node, emit: (draft: Draft) => SharkMessage): void {
    switch (show(part, "pgsql.type")) {
      case "Startup message": {
        Object.assign(login, parametersOf(part));
        isStarting = true;
        const domain = login.database ?? login.user ?? "";
        emit({ facts: { kind: "request", type: "STARTUP", domain }, fields: { ...login } });
        return;
      }
      case "Simple query":
        emit(request(show(part, "pgsql.query") ?? ""));
        return;
      case "Parse":
        parsed = show(part, "pgsql.query") ?? "";
        statements.set(show(part, "pgsql.statement") ?? "", parsed);
        return;
      case "Bind":
        portals.set(show(part, "pgsql.portal") ?? "", show(part, "pgsql.statement") ?? "");
        return;
      case "Execute": {
        const name = portals.get(show(part, "pgsql.portal") ?? "") ?? "";
        emit(request(statements.get(name) ?? "", name));
        hasExecuted = true;
        return;
      }
      case "Sync":
        if (parsed !== null && !hasExecuted) {
          emit({ facts: { kind: "request", type: "PREPARE", resource: parsed } });
        }
        parsed = null;
        hasExecuted = false;
    }
  }

  function takeAnswer(part: Node, emit: (draft: Draft) => SharkMessage): void {
    switch (show(part, "pgsql.type")) {
      case "Data row":
        rows++;
        return;
      case "Authentication request":
        answer ??= emit({ facts: { kind: "response" } });
        return;
      case "Command completion":
        complete(part, emit);
        return;
      case "Empty query":
        answer ??= emit({ facts: { kind: "response", status: "ok" } });
        return;
      case "Error":
        answer ??= emit({ facts: { kind: "response" } });
        answer.facts.status = /^(XX|5|08)/.test(show(part, "pgsql.code") ?? "")
          ? "server_error"
          : "client_error";
        answer.fields["sqlstate"] = show(part, "pgsql.code") ?? "";
        answer.fields["error_message"] = show(part, "pgsql.message") ?? "";
        return;
      case "Ready for query":
        if (isStarting && answer !== null) answer.facts.status = "ok";
        isStarting = false;
        answer = null;
        rows = 0;
    }
  }

  /** Several statements of one simple query have one answer; the last one's count is told. */
  function complete(part: Node, emit: (draft: Draft) => SharkMessage): void {
    answer ??= emit({ facts: { kind: "response", status: "ok" } });
    const count = /(\d+)$/.exec(show(part, "pgsql.tag") ?? "")?.[1];
    if (count !== undefined) answer.fields["rows"] = Number(count);
    rows = 0;
  }

  return {
    take(part, way: Way, emit) {
      if (way === "up") takeRequest(part, emit);
      else takeAnswer(part, emit);
    },
  };
}

const verbOf = (statement: string) => (/^\s*(\w+)/.exec(statement)?.[1] ?? "EMPTY").toUpperCase();

function parametersOf(part: Node): Record<string, string> {
  const names = [...nodesNamed(part, "pgsql.parameter_name")];
  const values = [...nodesNamed(part, "pgsql.parameter_value")];
  const pairs = names.map((node, i) => [node.show, values[i]?.show ?? ""] as const);
  return Object.fromEntries(pairs.filter(([name]) => name === "user" || name === "database"));
}
