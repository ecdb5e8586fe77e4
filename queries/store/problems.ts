// SPDX-License-Identifier: Apache-2.0
// Errors of the system and of the engine, as the end of one clear sentence.

export function plainReason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its directory does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "this program may not reach it";
  const text = engineMessage(error instanceof Error ? error.message : String(error));
  if (/os error 28\b/.test(text)) return "the disk is full";
  if (/os error 30\b/.test(text)) return "its file system is read-only";
  if (/os error 5\b/.test(text)) return "the disk gives input/output errors";
  if (/os error 122\b/.test(text)) return "the disk quota is used up";
  if (/WAL file/.test(text)) {
    return "its log (.wal) is damaged; move the .wal away to open the database without its " +
      `newest spans (${firstLine(text)})`;
  }
  if (/Corrupt database|Cannot read database|not a valid DuckDB|cut short/i.test(text)) {
    return `the file is damaged; move it away or give another path (${firstLine(text)})`;
  }
  return text.replace(/ \(os error \d+\)/, "");
}

/** After such an error the engine refuses everything, or its memory cannot be trusted. */
export function isFatal(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError ||
    /FATAL Error|has been invalidated/.test(String(error));
}

/** The engine wraps some of its messages in JSON. */
function engineMessage(text: string): string {
  const json = /\{"exception_type".*\}/s.exec(text)?.[0];
  if (json === undefined) return text;
  try {
    const { exception_message: message } = JSON.parse(json);
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
