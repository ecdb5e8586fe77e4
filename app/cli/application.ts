// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: its commands, and how its errors read.

import {
  ArgumentScannerError,
  buildApplication,
  buildRouteMap,
  formatMessageForArgumentScannerError,
  text_en,
} from "@stricli/core";
import { compareCommand } from "./commands/compare.ts";
import { completionCommand } from "./commands/completion.ts";
import { decodeCommand } from "./commands/decode.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { protocolsCommand } from "./commands/protocols.ts";
import { recordCommand } from "./commands/record.ts";
import { sqlCommand } from "./commands/sql.ts";
import { traceCommand } from "./commands/trace.ts";
import { type CliContext, EXIT, Refusal } from "./context.ts";

export function openApplication() {
  const routes = buildRouteMap({
    routes: {
      trace: traceCommand,
      decode: decodeCommand,
      demo: demoCommand,
      record: recordCommand,
      sql: sqlCommand,
      export: exportCommand,
      explain: explainCommand,
      compare: compareCommand,
      doctor: doctorCommand,
      protocols: protocolsCommand,
      completion: completionCommand,
    },
    docs: { brief: "Spandrel: traces of every service of a host, with no change to any of them" },
  });
  return buildApplication<CliContext>(routes, {
    name: "spandrel",
    versionInfo: { currentVersion: "0.1.0" },
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { caseStyle: "convert-camel-to-kebab", onlyRequiredInUsageLine: true },
    localization: { text: { ...text_en, ...errorTexts } },
    determineExitCode: (error) => error instanceof Refusal ? EXIT.refused : EXIT.failed,
  });
}

/** Every error is one sentence; only a bug of ours shows its stack. */
const errorTexts = {
  noCommandRegisteredForInput({ input, corrections }: {
    readonly input: string;
    readonly corrections: readonly string[];
  }): string {
    return `Cannot run "${input}": there is no such command${
      suggest(corrections.map((name) => name.replaceAll("`", "")))
    }`;
  },
  exceptionWhileParsingArguments(error: unknown): string {
    if (error instanceof ArgumentScannerError) return `Cannot ${scannerMessage(error)}`;
    return messageOf(error);
  },
  exceptionWhileLoadingCommandFunction: stackOf,
  exceptionWhileLoadingCommandContext: stackOf,
  exceptionWhileRunningCommand: (error: unknown) =>
    error instanceof Refusal ? error.message : stackOf(error),
  commandErrorResult: messageOf,
};

function scannerMessage(error: ArgumentScannerError): string {
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) =>
      `use --${input.replace(/^-+/, "")}: there is no such option${
        suggest(corrections.map((name) => `--${name.replace(/^-+/, "")}`))
      }`,
    AliasNotFoundError: ({ input }) => `use -${input}: there is no such option; see --help`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input, exception }) =>
      `read ${optionOrArgument(name)} "${input}": ${reasonOf(exception)}`,
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `read --${externalFlagName} "${input}": it is one of ${values.join(", ")}`,
    UnsatisfiedFlagError: ({ externalFlagName, nextFlagName }) =>
      nextFlagName === undefined
        ? `start without --${externalFlagName}: give it with a value`
        : `read --${externalFlagName}: --${nextFlagName} stands where its value is expected`,
    UnexpectedPositionalError: ({ input }) =>
      `take the argument "${input}": none is expected there; a command to trace goes after --`,
    UnsatisfiedPositionalError: ({ placeholder }) => `start without ${placeholder}: name it`,
    UnexpectedFlagError: () => "use an option twice that may be given once",
    InvalidNegatedFlagSyntaxError: () => "give a value to an option that starts with --no-",
  });
}

/** The part of a message behind its own "Cannot do this: ". */
function reasonOf(error: unknown): string {
  return messageOf(error).replace(/^Cannot [^:]*: /, "");
}

function optionOrArgument(name: string): string {
  return /^[A-Z]+$/.test(name) ? name : `--${name}`;
}

function suggest(corrections: readonly string[]): string {
  return corrections.length === 0 ? "; see --help" : `; did you mean ${corrections.join(" or ")}?`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
