// SPDX-License-Identifier: Apache-2.0
// `doctor`: the options of the command. What it does is in ../../doctor/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface DoctorFlags {
  readonly json?: boolean;
}

export const doctorCommand = buildCommand<DoctorFlags, [], CliContext>({
  loader: async () => (await import("../../doctor/doctor.ts")).doctor,
  parameters: {
    flags: {
      json: switchFlag("The same as JSON"),
    },
  },
  docs: {
    brief: "Say what this kernel and these privileges allow",
    fullDescription:
      `Tries every hook and says which are on and which are off, why, and what would turn
them on; which traffic escapes capture; and what was dropped in a short trial. The
exit code is 0 only if tracing can work.`,
  },
});
