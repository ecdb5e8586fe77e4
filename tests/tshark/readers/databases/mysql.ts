// SPDX-License-Identifier: Apache-2.0
// MySQL and MariaDB: a command, then the packets of its answer.

import { first, type Node, number, show } from "../../pdml.ts";
import type { Draft, SharkConnection, SharkMessage, SharkReader } from "../../shark_message.ts";

export const mysql: SharkReader = {
  protocol: "mysql",
  decodeAs: ["mysql"],
  parts: ["mysql"],
  open: connection,
};

/** Our names of the commands whose statement does not name them. */
const COMMANDS: Readonly<Record<number, string>> = {
  1: "QUIT",
  2: "INIT_DB",
  9: "STATISTICS",
  14: "PING",
  17: "CHANGE_USER",
  22: "PREPARE",
  24: "SEND_LONG_DATA",
  25: "STMT_CLOSE",
  26: "STMT_RESET",
};
const QUERY = 3, PREPARE = 22, EXECUTE = 23, CLOSE = 25, QUIT = 1, LONG_DATA = 24;

function connection(): SharkConnection {
  const statements = new Map<number, string>();
  let answer: SharkMessage | null = null;
  let prepared = "";
  let user: string | undefined;

  function takeCommand(part: Node, emit: (draft: Draft) => SharkMessage): void {
    const login = first(part, "mysql.login_request");
    if (login !== undefined) {
      user = show(login, "mysql.user");
      answer = null;
      emit({ facts: { kind: "request", type: "LOGIN", resource: user ?? "" }, fields: { user } });
      return;
    }
    const command = number(part, "mysql.command");
    if (command === undefined) return;
    answer = null;
    const id = number(part, "mysql.stmt_id");
    const query = show(part, "mysql.query");
    if (command === PREPARE) prepared = query ?? "";
    const statement = command === EXECUTE ? statements.get(id ?? -1) : query;
    const isSilent = command === QUIT || command === CLOSE || command === LONG_DATA;
    emit({
      facts: {
        kind: isSilent ? "oneway" : "request",
        type: command === QUERY || command === EXECUTE
          ? verbOf(statement ?? "")
          : COMMANDS[command] ?? "",
        ...(statement !== undefined && { resource: statement }),
      },
      fields: { statement_id: id, user },
    });
  }

  function takeAnswer(part: Node, emit: (draft: Draft) => SharkMessage): void {
    if (first(part, "mysql.server_greeting") !== undefined) return;
    if (first(part, "mysql.auth_switch_request.name") !== undefined) return;
    answer ??= emit({ facts: { kind: "response" } });
    const { facts, fields } = answer;
    const code = number(part, "mysql.error_code");
    if (code !== undefined) {
      facts.code = code;
      fields["error_code"] = `${code}`;
      fields["sqlstate"] = show(part, "mysql.sqlstate") ?? "";
      fields["error_message"] = show(part, "mysql.error.message") ?? "";
      return;
    }
    if (/response to PREPARE/.test(part.showname) && !/parameters|fields/.test(part.showname)) {
      const id = number(part, "mysql.stmt_id") ?? -1;
      statements.set(id, prepared);
      fields["statement_id"] = id;
      facts.status = "ok";
    } else if (/response OK/.test(part.showname)) {
      facts.status = "ok";
      const affected = number(part, "mysql.affected_rows") ?? 0;
      if (affected > 0) fields["affected_rows"] = affected;
    } else if (/row packet/.test(part.showname)) {
      facts.status = "ok";
      fields["rows"] = Number(fields["rows"] ?? 0) + 1;
    }
  }

  return {
    take(part, way, emit) {
      if (way === "up") takeCommand(part, emit);
      else takeAnswer(part, emit);
    },
  };
}

const verbOf = (statement: string) => (/^\s*(\w+)/.exec(statement)?.[1] ?? "").toUpperCase();
