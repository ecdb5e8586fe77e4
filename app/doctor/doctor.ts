// SPDX-License-Identifier: Apache-2.0
// `doctor`: what this kernel and these privileges allow, as a table or as JSON.

import { type CliContext, EXIT } from "../cli/context.ts";
import type { DoctorFlags } from "../cli/commands/doctor.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { checkHost } from "./check_host.ts";
import { diagnosisLines } from "./diagnosis_lines.ts";

export async function doctor(this: CliContext, flags: DoctorFlags): Promise<void> {
  const diagnosis = await checkHost();
  const paint = paintFor(Deno.stdout.isTerminal(), (name) => Deno.env.get(name));
  const text = flags.json
    ? JSON.stringify(diagnosis, null, 2)
    : diagnosisLines(diagnosis, paint).join("\n");
  this.process.stdout.write(`${text}\n`);
  if (!diagnosis.canTrace) this.process.exitCode = EXIT.failed;
}
